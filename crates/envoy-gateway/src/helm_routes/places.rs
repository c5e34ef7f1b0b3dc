//! Where the parts of a chart's route stand in the values of its release.

use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// Paths in a route with their paths in the release. What is below such a path stands below the other one.
#[derive(Clone, Debug)]
pub(super) struct ValuePlaces {
    pairs: Vec<(Pointer, Pointer)>,
}

impl ValuePlaces {
    /// The places of a route whose `metadata` and `spec` both come from one block of values.
    pub(super) fn of_block(block: &Pointer) -> Self {
        let root = Pointer::root();
        let parts = [root.clone(), root.key("metadata"), root.key("spec")];
        ValuePlaces {
            pairs: parts
                .into_iter()
                .map(|part| (part, block.clone()))
                .collect(),
        }
    }

    pub(super) fn add(&mut self, in_route: Pointer, in_release: Pointer) {
        self.pairs.push((in_route, in_release));
    }

    /// The path in the release for a path in the route.
    pub(super) fn of(&self, pointer: &Pointer) -> Pointer {
        let steps = pointer.steps();
        let above = self
            .pairs
            .iter()
            .filter(|(from, _)| steps.starts_with(from.steps()));
        let Some((from, to)) = above.max_by_key(|(from, _)| from.steps().len()) else {
            return pointer.clone();
        };
        let below = steps.iter().skip(from.steps().len());
        below.fold(to.clone(), |place, step: &Step| place.step(step.clone()))
    }
}
