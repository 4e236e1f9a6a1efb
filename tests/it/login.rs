//! `login`: what it finds, asks, writes and leaves alone.

mod again;
mod asks;
mod entries;
mod many;
mod output;
mod server;
