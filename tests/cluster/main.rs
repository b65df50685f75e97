//! Tests on a real Kubernetes with real containers: the one that `tests/cluster/up` starts.

mod causes;
mod certificates;
mod complete;
mod delete;
mod describe;
mod documentation;
mod errors;
mod examples;
mod faults;
mod guests;
mod help;
mod indexes;
mod items;
mod jsonpath;
mod kills;
mod kueue;
mod life;
mod list;
mod lists;
mod logs;
mod manners;
mod mistakes;
mod policies;
mod readme;
mod results;
mod resume_list;
mod retry;
mod run;
mod side_by_side;
mod support;
#[path = "../terminal.rs"]
mod terminal;
mod verbosity;
mod version;
mod wait;
mod watch;
