//! Tuples of up to eight members, which traits are implemented for.

/// Calls a macro for each tuple, with names for its members: `A`, `A B` and so on.
macro_rules! each_tuple {
    ($implement:ident) => {
        $implement! { A }
        $implement! { A B }
        $implement! { A B C }
        $implement! { A B C D }
        $implement! { A B C D E }
        $implement! { A B C D E F }
        $implement! { A B C D E F G }
        $implement! { A B C D E F G H }
    };
}

pub(crate) use each_tuple;
