//! Thousands of objects cost a few calls, whatever happens to them.

mod kit;
mod many;
