//! Primary keys: of one column, and of several.

use crate::entity::model::{IntoKey, Key};
use crate::model::KeyType;
use crate::sql::Value;

impl<T: KeyType> Key for T {
    fn values(&self) -> Vec<Value<'_>> {
        vec![self.to_value()]
    }
}

impl IntoKey<String> for &str {
    fn into_key(self) -> String {
        self.to_owned()
    }
}

macro_rules! composite {
    ($($name:ident)*) => {
        impl<$($name: KeyType),*> Key for ($($name,)*) {
            #[allow(non_snake_case, reason = "a variable for each type parameter")]
            fn values(&self) -> Vec<Value<'_>> {
                let ($($name,)*) = self;
                vec![$($name.to_value()),*]
            }
        }
    };
}

composite!(A B);
composite!(A B C);
composite!(A B C D);
composite!(A B C D E);
composite!(A B C D E F);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composite_key_has_a_value_for_each_column_in_order() {
        let key = ("de".to_owned(), 7_i64);
        assert_eq!(Key::values(&key), [Value::Text("de".into()), Value::Int(7)]);
        assert_eq!(Key::values(&7_i64), [Value::Int(7)]);
    }
}
