//! Which endpoints there are: imported from documents, discovered from traffic.
