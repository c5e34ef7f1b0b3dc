//! The codes of findings about rendered files on the disk. `tree/foreign` is one of [`render`](crate::render).

manifest::codes! {
    TREE_EDITED = "tree"/"edited", Error, "A rendered file that was edited by hand.";
    TREE_OUT_OF_DATE = "tree"/"out-of-date", Error, "A file that differs from what cluster.toml renders.";
    TREE_UNSAFE_PATH = "tree"/"unsafe-path", Error, "An output path that leads through a symbolic link, or out of the root.";
    TREE_INTERRUPTED = "tree"/"interrupted", Note, "An earlier render was interrupted.";
}
