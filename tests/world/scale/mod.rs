//! Thousands of objects cost a few calls, whatever happens to them.

mod batches;
mod endings;
mod kit;
mod many;
mod sequences;
mod storms;
