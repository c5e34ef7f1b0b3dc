//! The code of findings about existing files at output paths, which [`tree`](crate::tree) uses, too.

manifest::codes! {
    TREE_FOREIGN = "tree"/"foreign", Error, "An existing file at an output path that gatewayctl didn't write.";
}
