#[automatically_derived]
impl ::redis_hashmap::EvolvingValue for Cart {
    fn check_schema() -> ::core::result::Result<(), ::redis_hashmap::SchemaProblem> {
        ::redis_hashmap::__private::check_value::<
            Self,
        >(
            "redis-hash/Cart.schema",
            ::core::env!("CARGO_MANIFEST_DIR"),
            &["Cart.note"],
            &[|| ::redis_hashmap::__private::trace_schema::<Vec<String>>(::std::vec![])],
        )
    }
    fn __past() -> (
        &'static ::redis_hashmap::__private::History,
        &'static ::redis_hashmap::__private::Conversions<Self>,
    ) {
        static HISTORY: ::redis_hashmap::__private::History = ::redis_hashmap::__private::History::new(
            ::core::option::Option::None,
        );
        (
            &HISTORY,
            const {
                &::redis_hashmap::__private::Conversions(
                    &[
                        ::redis_hashmap::__private::Was::<
                            Self,
                        >::encoded::<Vec<String>>("Vec<String>"),
                    ],
                )
            },
        )
    }
    fn __samples() -> ::std::vec::Vec<Self> {
        ::std::vec![Cart::of("pear")]
    }
}
#[cfg(test)]
#[test]
fn schema_of_cart_values() -> ::core::result::Result<
    (),
    ::redis_hashmap::SchemaProblem,
> {
    <Cart as ::redis_hashmap::EvolvingValue>::check_schema()
}
