//! `Self` in the types of fields, in bounds and in where clauses.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use redis_hashmap::{RedisHash, open};
use serde::{Deserialize, Serialize};

use crate::Test;

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
struct Tree {
    name: String,
    #[redis_hash(default)]
    children: Vec<Self>,
    parent: Option<Box<Self>>,
    #[redis_hash(default)]
    by_name: BTreeMap<String, (Self, u8)>,
    #[redis_hash(skip)]
    #[serde(skip)]
    marker: PhantomData<fn(&Self) -> Self>,
}

#[test]
fn a_record_may_hold_itself() -> Test {
    let mut con = open("memory:")?;
    let leaf = Tree { name: "leaf".to_owned(), ..Tree::default() };
    let tree = Tree {
        name: "root".to_owned(),
        children: vec![leaf.clone()],
        parent: Some(Box::new(leaf.clone())),
        by_name: BTreeMap::from([("leaf".to_owned(), (leaf.clone(), 1))]),
        marker: PhantomData,
    };
    let record = Tree::at("tree").on(&mut con);
    record.set_all(&tree)?;
    assert_eq!(record.get_all()?, Some(tree));
    record.children().set(&[leaf.clone(), leaf][..])?;
    record.patch(&TreePatch::default().parent(None))?;
    let partial = record.get_partial()?;
    assert_eq!((partial.children.map(|children| children.len()), partial.parent), (Some(2), None));
    let patch: TreePatch = serde_json::from_str(r#"{"parent": {"name": "up", "children": [], "by_name": {}}}"#)?;
    record.patch(&patch)?;
    assert_eq!(record.parent().get()?.map(|parent| parent.name), Some("up".to_owned()));
    Ok(())
}

trait Sized2 {
    const SIZE: usize;
    type Unit;
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Sized3 {
    array: [u8; Self::N],
    arithmetic: [u16; Self::N + <Self as Sized2>::SIZE],
    of_a_trait: [u8; Self::SIZE],
    associated: <Self as Sized2>::Unit,
    list: Vec<[u8; Self::N]>,
}

impl Sized3 {
    const N: usize = 3;
}

impl Sized2 for Sized3 {
    const SIZE: usize = 2;
    type Unit = u32;
}

#[test]
fn an_associated_constant_may_be_a_length() -> Test {
    let mut con = open("memory:")?;
    let value = Sized3 { array: [1; 3], arithmetic: [2; 5], of_a_trait: [3; 2], associated: 4, list: vec![[5; 3]] };
    let record = Sized3::at("sized").on(&mut con);
    record.set_all(&value)?;
    record.array().set([9; 3])?;
    assert_eq!(record.get_all()?, Some(Sized3 { array: [9; 3], ..value }));
    Ok(())
}

trait Rank<T> {}
impl<T> Rank<T> for u8 {}

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(bound = "T: Serialize + serde::de::DeserializeOwned + Rank<Node<T, N>> + Rank<[Node<T, N>; N]>")]
struct Node<T, const N: usize = 2>
where
    Self: Sized,
    T: Rank<Self> + Rank<[Self; N]>,
    Vec<Self>: Sized,
{
    value: T,
    #[redis_hash(default)]
    children: Vec<Self>,
}

#[test]
fn where_clauses_may_be_about_the_struct_itself() -> Test {
    let mut con = open("memory:")?;
    let node = Node::<u8> { value: 1, children: vec![Node { value: 2, children: vec![] }] };
    let record = Node::at("node").on(&mut con);
    record.set_all(&node)?;
    assert_eq!(record.get_all()?, Some(node));
    Ok(())
}

macro_rules! twice {
    ($length:expr) => {
        $length * 2
    };
}

#[derive(RedisHash, Debug, Clone, PartialEq, Eq)]
struct ByMacro {
    array: [u8; twice!(Self::N)],
}

impl ByMacro {
    const N: usize = 2;
}

#[test]
fn a_macro_may_be_given_the_struct_itself() -> Test {
    let mut con = open("memory:")?;
    let record = ByMacro::at("macro").on(&mut con);
    record.array().set([1; 4])?;
    assert_eq!(record.get_all()?, Some(ByMacro { array: [1; 4] }));
    Ok(())
}
