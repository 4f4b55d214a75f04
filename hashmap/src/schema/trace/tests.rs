//! Schemas of types of all sorts, written as text.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::marker::PhantomData;
use std::num::{NonZeroI64, NonZeroU8};
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::format::schema::{Id, Node, Parts, Schema};
use crate::schema::trace::trace;

/// The schema as text. `^2` is the node around it that is the second in the schema, counted from 0.
pub(super) fn text(schema: &Schema) -> String {
    fn list(schema: &Schema, parts: &[Id], path: &mut Vec<Id>) -> String {
        parts.iter().map(|part| node(schema, *part, path)).collect::<Vec<_>>().join(", ")
    }
    fn fields(schema: &Schema, fields: &[(String, Id)], path: &mut Vec<Id>) -> String {
        let field = |(name, part): &(String, Id)| format!("{name}: {}", node(schema, *part, path));
        fields.iter().map(field).collect::<Vec<_>>().join(", ")
    }
    fn node(schema: &Schema, id: Id, path: &mut Vec<Id>) -> String {
        if path.contains(&id) {
            return format!("^{id}");
        }
        path.push(id);
        let text = match &schema.nodes[id] {
            Node::Scalar(leaf) => match leaf.accepts.first() {
                Some(value) => format!("{} as {value:?}", leaf.kind),
                None => leaf.kind.to_string(),
            },
            Node::Option(part) => format!("{}?", node(schema, *part, path)),
            Node::Seq(part) => format!("[{}]", node(schema, *part, path)),
            Node::Map(key, value) => format!("[{} => {}]", node(schema, *key, path), node(schema, *value, path)),
            Node::Tuple(parts) => format!("({})", list(schema, parts, path)),
            Node::Struct { name, fields: all } => format!("{name} {{{}}}", fields(schema, all, path)),
            Node::Enum { name, variants } => {
                let variant = |(index, variant): (&u32, &crate::format::schema::Variant)| match &variant.parts {
                    Parts::Unit => format!("{index} {}", variant.name),
                    Parts::Unnamed(parts) => format!("{index} {}({})", variant.name, list(schema, parts, path)),
                    Parts::Named(all) => format!("{index} {} {{{}}}", variant.name, fields(schema, all, path)),
                };
                format!("{name} <{}>", variants.iter().map(variant).collect::<Vec<_>>().join(" | "))
            }
            Node::Dynamic => "dynamic".to_owned(),
            Node::Unknown => "unknown".to_owned(),
        };
        path.pop();
        text
    }
    node(schema, schema.root, &mut Vec::new())
}

#[track_caller]
pub(super) fn is<T: Serialize + DeserializeOwned>(expected: &str) {
    let start = Instant::now();
    let traced = trace::<T>();
    let took = start.elapsed();
    let name = std::any::type_name::<T>();
    if std::env::var_os("TRACE_TIMES").is_some() {
        println!("took {} us: {name}", took.as_micros());
    }
    match &traced {
        Ok(schema) => assert_eq!(text(schema), expected, "{name}"),
        Err(why) => panic!("{name}: {why}"),
    }
    assert_eq!(traced, trace::<T>(), "{name} has another schema the second time");
}

macro_rules! types {
    ($($item:item)*) => {
        $(#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $item)*
    };
}

types! {
    struct Unit;
    struct Empty {}
    struct Wrapper(u8);
    struct Pair(u8, String);
    struct Point { x: i32, y: i32 }
    struct Line { from: Point, to: Point }
    pub(super) enum Level { Low, High }
    enum Shape { Nothing, One(u8), Two(u8, String), Named { width: u8, level: Level }, Nested(Line), Empty() , EmptyNamed {} }
    struct Generic<T> { value: T, more: Vec<T> }
    struct Both { numbers: Generic<u8>, texts: Generic<String>, pairs: Generic<Generic<u8>> }
    struct Chain { value: u8, next: Option<Box<Chain>> }
    struct Shared { value: u8, next: Option<Rc<Shared>> }
    struct Tree(Vec<Tree>);
    struct Branch { children: Vec<Branch>, by_name: BTreeMap<String, Branch> }
    enum Expression { Sum(Box<Expression>, Box<Expression>), Negated(Box<Expression>), Number(i64) }
    enum Even { Next(Box<Odd>), Zero }
    enum Odd { Next(Box<Even>), Never(Box<Odd>) }
    struct Ring { inside: Option<Box<RingBack>> }
    struct RingBack { back: Ring, level: Level }
}

#[test]
fn scalars() {
    is::<()>("unit");
    is::<bool>("bool");
    is::<char>("char");
    is::<i8>("i8");
    is::<i16>("i16");
    is::<i32>("i32");
    is::<i64>("i64");
    is::<i128>("i128");
    is::<u8>("u8");
    is::<u16>("u16");
    is::<u32>("u32");
    is::<u64>("u64");
    is::<u128>("u128");
    is::<usize>("u64");
    is::<f32>("f32");
    is::<f64>("f64");
    is::<String>("str");
    is::<serde_bytes::ByteBuf>("bytes");
}

#[test]
fn composites() {
    is::<Option<u8>>("u8?");
    is::<Option<Option<u8>>>("u8??");
    is::<Option<Option<Option<Level>>>>("Level <0 Low | 1 High>???");
    is::<Vec<u8>>("[u8]");
    is::<Vec<Vec<Option<bool>>>>("[[bool?]]");
    is::<(u8, String, Vec<char>)>("(u8, str, [char])");
    is::<[u8; 3]>("(u8, u8, u8)");
    is::<[u8; 0]>("()");
    is::<BTreeMap<Point, Level>>("[Point {x: i32, y: i32} => Level <0 Low | 1 High>]");
    is::<HashMap<Level, Vec<u8>>>("[Level <0 Low | 1 High> => [u8]]");
    is::<BTreeSet<String>>("[str]");
    is::<HashSet<Pair>>("[(u8, str)]");
    is::<Unit>("unit");
    is::<Empty>("Empty {}");
    is::<Wrapper>("u8");
    is::<Pair>("(u8, str)");
    is::<Line>("Line {from: Point {x: i32, y: i32}, to: Point {x: i32, y: i32}}");
    is::<Shape>(
        "Shape <0 Nothing | 1 One(u8) | 2 Two(u8, str) | 3 Named {width: u8, level: Level <0 Low | 1 High>} | \
         4 Nested(Line {from: Point {x: i32, y: i32}, to: Point {x: i32, y: i32}}) | 5 Empty | 6 EmptyNamed {}>",
    );
    is::<Both>(
        "Both {numbers: Generic {value: u8, more: [u8]}, texts: Generic {value: str, more: [str]}, \
         pairs: Generic {value: Generic {value: u8, more: [u8]}, more: [Generic {value: u8, more: [u8]}]}}",
    );
}

#[test]
fn types_that_hold_themselves() {
    is::<Chain>("Chain {value: u8, next: ^0?}");
    is::<Shared>("Shared {value: u8, next: ^0?}");
    is::<Tree>("[^0]");
    is::<Branch>("Branch {children: [^0], by_name: [str => ^0]}");
    is::<Expression>("Expression <0 Sum(^0, ^0) | 1 Negated(^0) | 2 Number(i64)>");
    is::<Even>("Even <0 Next(Odd <0 Next(^0) | 1 Never(^1)>) | 1 Zero>");
    is::<Odd>("Odd <0 Next(Even <0 Next(^0) | 1 Zero>) | 1 Never(^0)>");
    is::<Ring>("Ring {inside: RingBack {back: ^0, level: Level <0 Low | 1 High>}?}");
    is::<Box<Expression>>("Expression <0 Sum(^0, ^0) | 1 Negated(^0) | 2 Number(i64)>");
    assert_eq!(trace::<Box<Chain>>().map(|schema| schema.nodes.len()), Ok(3));
}

#[test]
fn types_of_the_standard_library() {
    is::<NonZeroU8>("u8 as Unsigned(1)");
    is::<Option<NonZeroI64>>("i64 as Signed(1)?");
    is::<Duration>("Duration {secs: u64, nanos: u32}");
    is::<SystemTime>("SystemTime {secs_since_epoch: u64 as Unsigned(1), nanos_since_epoch: u32}");
    is::<std::net::IpAddr>(
        "IpAddr <0 V4((u8, u8, u8, u8)) | 1 V6((u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8))>",
    );
    is::<std::net::SocketAddrV4>("((u8, u8, u8, u8), u16)");
    is::<Result<u8, String>>("Result <0 Ok(u8) | 1 Err(str)>");
    is::<Cow<'static, str>>("str");
    is::<std::path::PathBuf>("str");
    is::<Range<u8>>("Range {start: u8, end: u8}");
    is::<std::ops::Bound<u8>>("Bound <0 Unbounded | 1 Included(u8) | 2 Excluded(u8)>");
    is::<PhantomData<u8>>("unit");
    is::<std::cell::RefCell<u8>>("u8");
    is::<std::sync::Mutex<Level>>("Level <0 Low | 1 High>");
    is::<std::collections::VecDeque<u8>>("[u8]");
    is::<std::num::Wrapping<i8>>("i8");
    is::<std::cmp::Reverse<i8>>("i8");
    is::<std::ffi::CString>("bytes as Bytes([])");
}

types! {
    struct Same { z: u8 }
}

#[derive(Serialize, Deserialize)]
struct Two<A, B> {
    first: A,
    second: B,
}

/// The types of two values, whose names their block does not let out.
type Types<A, B> = PhantomData<(A, B)>;

fn types_of<A, B>(_: &A, _: &B) -> Types<A, B> {
    PhantomData
}

fn elements<A, B>(_: Types<[A; 2], [B; 2]>) -> Types<A, B> {
    PhantomData
}

fn structs_of_one_name<A: Serialize + DeserializeOwned, B: Serialize + DeserializeOwned>(_: Types<A, B>) {
    assert_eq!(std::any::type_name::<A>(), std::any::type_name::<B>());
    is::<Two<A, B>>("Two {first: Same {a: u8}, second: Same {b: str, c: u8?}}");
    is::<Two<Vec<A>, Vec<B>>>("Two {first: [Same {a: u8}], second: [Same {b: str, c: u8?}]}");
    is::<(Two<Box<A>, B>, Two<A, Option<B>>)>(
        "(Two {first: Same {a: u8}, second: Same {b: str, c: u8?}}, \
         Two {first: Same {a: u8}, second: Same {b: str, c: u8?}?})",
    );
}

fn enums_of_one_name<A: Serialize + DeserializeOwned, B: Serialize + DeserializeOwned>(_: Types<A, B>) {
    assert_eq!(std::any::type_name::<A>(), std::any::type_name::<B>());
    is::<Two<A, B>>("Two {first: Same <0 A | 1 B(u32)>, second: Same <0 A | 1 B(char)>}");
    is::<Two<Vec<B>, Vec<A>>>("Two {first: [Same <0 A | 1 B(char)>], second: [Same <0 A | 1 B(u32)>]}");
}

#[test]
fn two_types_of_one_name() {
    is::<Two<Same, Level>>("Two {first: Same {z: u8}, second: Level <0 Low | 1 High>}");
    let first = {
        types! { struct Same { a: u8 } }
        Same { a: 1 }
    };
    let second = {
        types! { struct Same { b: String, c: Option<u8> } }
        Same { b: String::new(), c: None }
    };
    structs_of_one_name(types_of(&first, &second));
    let first = {
        types! { enum Same { A, B(u32) } }
        [Same::A, Same::B(1)]
    };
    let second = {
        types! { enum Same { A, B(char) } }
        [Same::A, Same::B('a')]
    };
    enums_of_one_name(elements(types_of(&first, &second)));
}

#[derive(Serialize, Deserialize)]
struct Others {
    at: chrono::DateTime<chrono::Utc>,
    day: Option<chrono::NaiveDate>,
    id: uuid::Uuid,
    link: url::Url,
    value: crate::format::value::Value,
    values: Vec<crate::format::value::Value>,
}

#[test]
fn types_of_others() {
    is::<Others>(
        "Others {at: str as Str(\"1970-01-01T00:00:00Z\"), day: str as Str(\"1970-01-01\")?, \
         id: bytes as Bytes([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]), link: str as Str(\"http://a.b/\"), \
         value: dynamic, values: [dynamic]}",
    );
    is::<crate::format::value::Value>("dynamic");
    is::<BTreeMap<String, crate::format::value::Value>>("[str => dynamic]");
}

types! {
    struct Wide {
        a: Option<String>, b: Option<String>, c: Option<Level>, d: Option<Shape>, e: Vec<Shape>, f: Vec<Level>,
        g: BTreeMap<String, Shape>, h: BTreeMap<Level, Option<Level>>, i: (u8, Level), j: Option<Vec<Option<u8>>>,
    }
}

#[test]
fn large_types() {
    let shape = "Shape <0 Nothing | 1 One(u8) | 2 Two(u8, str) | 3 Named {width: u8, level: Level <0 Low | 1 High>} | \
                 4 Nested(Line {from: Point {x: i32, y: i32}, to: Point {x: i32, y: i32}}) | 5 Empty | 6 EmptyNamed {}>";
    let level = "Level <0 Low | 1 High>";
    is::<Wide>(&format!(
        "Wide {{a: str?, b: str?, c: {level}?, d: {shape}?, e: [{shape}], f: [{level}], g: [str => {shape}], \
         h: [{level} => {level}?], i: (u8, {level}), j: [u8?]?}}"
    ));
}
