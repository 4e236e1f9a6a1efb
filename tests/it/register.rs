//! What many machines keep together, against a register in memory.

mod flight;
