//! Hands the real world to the library.
fn main() {}
