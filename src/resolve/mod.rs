//! What a cluster makes of objects: the controller's view of listeners, routes and policies.
