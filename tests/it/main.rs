//! The one test binary: stories, adapters against in-process servers, a pty, and the rules of the house.

mod vectors;
