//! Types that take many samples.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::format::schema::Node;
use crate::schema::trace::{Untraceable, trace};

#[rustfmt::skip]
#[derive(Serialize, Deserialize)]
enum Many {
    V0, V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11, V12, V13, V14, V15, V16, V17, V18, V19, V20, V21, V22, V23,
    V24, V25, V26, V27, V28, V29, V30, V31, V32, V33, V34, V35, V36, V37, V38, V39, V40, V41, V42, V43, V44, V45,
    V46, V47, V48, V49, V50, V51, V52, V53, V54, V55, V56, V57, V58, V59, V60, V61, V62, V63, V64, V65, V66, V67,
    V68, V69, V70, V71, V72, V73, V74, V75, V76, V77, V78, V79, V80, V81, V82, V83, V84, V85, V86, V87, V88, V89,
    V90, V91, V92, V93, V94, V95, V96, V97, V98, V99, V100, V101, V102, V103, V104, V105, V106, V107, V108, V109,
    V110, V111, V112, V113, V114, V115, V116, V117, V118, V119, V120, V121, V122, V123, V124, V125, V126, V127,
    V128, V129, V130, V131, V132, V133, V134, V135, V136, V137, V138, V139, V140, V141, V142, V143, V144, V145,
    V146, V147, V148, V149, V150, V151, V152, V153, V154, V155, V156, V157, V158, V159, V160, V161, V162, V163,
    V164, V165, V166, V167, V168, V169, V170, V171, V172, V173, V174, V175, V176, V177, V178, V179, V180, V181,
    V182, V183, V184, V185, V186, V187, V188, V189, V190, V191, V192, V193, V194, V195, V196, V197, V198, V199
}

/// Enums that all hold each other, and have the variant that ends last.
macro_rules! knot {
    ($($name:ident)*) => {
        knot!(all [$($name)*] $($name)*);
    };
    (all $all:tt $($name:ident)*) => {
        $(knot!(one $name $all);)*
    };
    (one $name:ident [$($all:ident)*]) => {
        #[derive(Serialize, Deserialize)]
        #[allow(clippy::enum_variant_names)]
        enum $name { $($all(Box<$all>),)* Leaf }
    };
}

knot!(A0 A1 A2 A3 A4 A5 A6 A7 A8 A9 B0 B1 B2 B3 B4 B5 B6 B7 B8 B9);

#[test]
fn many_variants() {
    let schema = trace::<Many>().unwrap();
    let [Node::Enum { variants, .. }] = schema.nodes.as_slice() else { panic!("{schema:?}") };
    assert_eq!(variants.len(), 200);
    assert!(variants.iter().all(|(index, variant)| variant.name == format!("V{index}")));
}

#[test]
fn a_knot_of_enums() {
    let start = Instant::now();
    let schema = trace::<A0>().unwrap();
    println!("took {} us: a knot", start.elapsed().as_micros());
    assert_eq!(schema.nodes.len(), 20);
    for node in schema.nodes.iter() {
        assert!(matches!(node, Node::Enum { variants, .. } if variants.len() == 21));
    }
    assert_eq!(trace::<A0>(), Ok(schema));
}

/// Each holds two of the next: a sample would have a million scalars.
macro_rules! doubling {
    ($name:ident) => {
        #[derive(Serialize, Deserialize)]
        struct $name(u8, u8);
    };
    ($name:ident $next:ident $($more:ident)*) => {
        #[derive(Serialize, Deserialize)]
        struct $name(Box<$next>, Box<$next>);
        doubling!($next $($more)*);
    };
}

doubling!(D0 D1 D2 D3 D4 D5 D6 D7 D8 D9 E0 E1 E2 E3 E4 E5 E6 E7 E8 E9);

#[test]
fn a_type_with_a_million_scalars() {
    let why = trace::<D0>().unwrap_err();
    assert_eq!(why.to_string(), format!("`{}::D0` needs more than 16384 values in one sample", module_path!()));
    assert_eq!(trace::<E5>().map(|schema| schema.nodes.len()), Ok(6));
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct Many10 {
    texts: (String, String, String, String, String),
    numbers: (u8, u16, u32, u64, i64),
    options: (Option<u8>, Option<String>, Option<Box<Self>>),
    seqs: (Vec<u8>, Vec<String>, Vec<Self>),
}

/// Refuses everything, for a reason that cannot be found out.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(try_from = "Many10")]
struct Never(Many10);

impl TryFrom<Many10> for Never {
    type Error = &'static str;

    fn try_from(_: Many10) -> Result<Self, Self::Error> {
        Err("never")
    }
}

#[test]
fn a_large_type_that_refuses_everything() {
    let start = Instant::now();
    let why = trace::<Option<Never>>().unwrap_err();
    println!("took {} us: a large type that refuses everything", start.elapsed().as_micros());
    // On a busy machine, the time can be over first.
    let is_expected = |why| matches!(why, Untraceable::Refuses(name) if name == std::any::type_name::<Never>());
    assert!(is_expected(why.clone()) || matches!(why, Untraceable::Slow(_)), "{why}");
}
