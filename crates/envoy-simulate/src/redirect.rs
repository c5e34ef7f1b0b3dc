//! Finds redirect loops.

use super::{GatewayId, GatewayTrace, Mark, Outcome, Request, Stage, Step, Tracer, dns};

/// The maximum number of redirects to follow: a few more than clients follow.
const MOST_HOPS: usize = 20;

/// The request that a client sends after a redirect.
fn next(request: &Request, location: &str) -> Option<Request> {
    let url = match location.starts_with('/') {
        true => {
            let mut base = request.clone();
            (base.path, base.query) = (String::new(), None);
            format!("{base}{location}")
        }
        false => location.to_owned(),
    };
    let to = Request::get(&url).ok()?;
    Some(Request {
        method: request.method.clone(),
        headers: request.headers.clone(),
        from: request.from,
        signed_in: request.signed_in,
        ..to
    })
}

/// Follows a redirect while it leads through the same gateway, and marks it if it leads back to an earlier URL.
pub(super) fn find_loop<'a>(
    tracer: &Tracer<'_, 'a>,
    request: &Request,
    id: GatewayId,
    gateway_trace: &mut GatewayTrace<'a>,
) {
    let mut seen = vec![request.clone()];
    let mut outcome = gateway_trace.outcome.clone();
    while let Outcome::Redirect { location, .. } = &outcome {
        let Some(to) = seen.last().and_then(|from| next(from, location)) else {
            return;
        };
        if let Some(at) = seen.iter().position(|one| *one == to) {
            let circle: Vec<String> = seen
                .iter()
                .skip(at)
                .chain([&to])
                .map(Request::to_string)
                .collect();
            let text = format!("a redirect loop: {}", circle.join(" to "));
            gateway_trace
                .steps
                .push(Step::new(Stage::Filter, text).mark(Mark::Stops));
            if let Outcome::Redirect { is_loop, .. } = &mut gateway_trace.outcome {
                *is_loop = true;
            }
            return;
        }
        let is_here = dns::candidates(tracer, &to, None).gateways.contains(&id);
        if seen.len() >= MOST_HOPS || !is_here {
            return;
        }
        let Some(then) = tracer.trace_at(&to, id) else {
            return;
        };
        outcome = then.outcome;
        seen.push(to);
    }
}
