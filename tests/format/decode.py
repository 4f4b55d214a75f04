#!/usr/bin/env python3
"""A reader of redis-hashmap's stored values, written from docs/format.md alone.

It reads JSON vectors from the file given, decodes each scalar and each Value tree, computes the digest of each shape,
and compares. It shares no code with the library.
"""
import json
import struct
import sys

KINDS = ("unit bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes "
         "seq tuple map struct enum option dynamic").split()
BYTE = {name: 0x80 + i for i, name in enumerate(KINDS)}
NAME = {byte: name for name, byte in BYTE.items()}


class Input:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data), "truncated"
        self.at += n
        return self.data[self.at - n:self.at]

    def varint(self):
        first = self.take(1)[0]
        return first if first < 251 else int.from_bytes(self.take(2 ** (first - 250)), "little")

    def zigzag(self):
        n = self.varint()
        return n >> 1 if n & 1 == 0 else -(n >> 1) - 1

    def payload(self, kind):
        """The bincode payload of a scalar."""
        if kind == "unit":
            return None
        if kind == "bool":
            return {0: False, 1: True}[self.take(1)[0]]
        if kind in ("i8", "u8"):
            return int.from_bytes(self.take(1), "little", signed=kind == "i8")
        if kind in ("i16", "i32", "i64", "i128"):
            return self.zigzag()
        if kind in ("u16", "u32", "u64", "u128"):
            return self.varint()
        if kind == "f32":
            return struct.unpack("<f", self.take(4))[0]
        if kind == "f64":
            return struct.unpack("<d", self.take(8))[0]
        if kind == "char":
            lead = self.take(1)
            more = 0 if lead[0] < 0x80 else 1 if lead[0] < 0xE0 else 2 if lead[0] < 0xF0 else 3
            return (lead + self.take(more)).decode()
        data = self.take(self.varint())
        return data.decode() if kind == "str" else data.hex()

    def node(self):
        """A node of a Value tree."""
        kind = NAME[self.take(1)[0]]
        if kind == "seq":
            return [kind, [self.node() for _ in range(self.varint())]]
        if kind == "map":
            return [kind, [[self.node(), self.node()] for _ in range(self.varint())]]
        if kind == "dynamic":
            return ["opaque", self.take(self.varint()).hex()]
        return [kind, self.payload(kind)]


MASK = 2 ** 64 - 1


def fnv(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & MASK
    return h


def fmix64(h):
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & MASK
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return h ^ h >> 33


def leb(n):
    return bytes([n & 0x7F | 0x80]) + leb(n >> 7) if n >= 0x80 else bytes([n])


def text(name):
    return leb(len(name.encode())) + name.encode()


def shape(s):
    """The bytes that are hashed: "u8", {"seq": [...]}, {"struct": [["name", shape], ...]}, ..."""
    if isinstance(s, str):
        return bytes([BYTE[s]])
    (kind, body), = s.items()
    head = bytes([BYTE[kind]])
    if kind in ("seq", "map"):
        entries = [shape(e) if kind == "seq" else shape(e[0]) + shape(e[1]) for e in body]
        return head + (sum(fmix64(fnv(e)) for e in entries) & MASK).to_bytes(8, "little")
    if kind == "tuple":
        return head + leb(len(body)) + b"".join(shape(part) for part in body)
    if kind == "struct":
        return head + leb(len(body)) + b"".join(text(name) + shape(part) for name, part in body)
    if kind == "option":
        return head + (b"\1" + shape(body) if body is not None else b"\0")
    index, name, content = body  # enum: content is a list of shapes (tuple variant) or of [name, shape]
    parts = b"".join(text(p[0]) + shape(p[1]) if isinstance(p, list) else shape(p) for p in content)
    return head + leb(index) + text(name) + leb(len(content)) + parts


def check(vector):
    stored = Input(bytes.fromhex(vector["stored"]))
    kind = NAME[stored.data[0]]
    if kind == "dynamic":
        stored.take(1)
        assert stored.take(4) == (fnv(bytes([BYTE[kind]])) & 0xFFFFFFFF).to_bytes(4, "little"), "digest"
        assert stored.node() == vector["value"], "value"
    elif "value" in vector:
        stored.take(1)
        assert [kind, stored.payload(kind)] == vector["value"], "value"
    else:
        digest = (fnv(shape(vector["shape"])) & 0xFFFFFFFF).to_bytes(4, "little")
        assert stored.take(5)[1:] == digest, f"digest {digest.hex()}"
        return
    assert stored.at == len(stored.data), "trailing bytes"


if __name__ == "__main__":
    vectors = json.load(open(sys.argv[1], encoding="utf-8"))
    for v in vectors:
        try:
            check(v)
        except Exception as e:
            sys.exit(f"{v['name']}: {type(e).__name__} {e}")
    print(f"{len(vectors)} vectors agree")
