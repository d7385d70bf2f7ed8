//! The rendering tools of this machine, run in a clean place: a folder of their own, no configuration, no credentials,
//! a deadline. It renders nothing itself.

use crate::{
    domain::{
        diff::Side,
        lens::Lens,
        problem::{Cause, Problem},
    },
    port::{Rendered, Renderer},
};
use futures::{FutureExt, future::BoxFuture};

/// What is found on `PATH`.
#[derive(Debug, Clone, Default)]
pub struct Tools;

impl Renderer for Tools {
    fn render(&self, lens: Lens, files: Side) -> BoxFuture<'static, Result<Rendered, Problem>> {
        let _ = (lens, files);
        async { Err(Problem::new(Cause::Other, "render the files", "this is not built yet")) }.boxed()
    }
}
