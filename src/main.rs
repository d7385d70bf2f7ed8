//! argv -> adapters -> front end; prints start-up errors.

fn main() {}
