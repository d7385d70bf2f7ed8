//! fluxscope: the Flux objects of a cluster and the registry beside them, on one screen.
