//! Reads BTF, the type information of programs and of the kernel (Documentation/bpf/btf.rst).
//!
//! The kernel's BTF has 150,000 types, so nothing is kept of them but where each begins.

use memchr::memmem;

const MAGIC: u16 = 0xeb9f;

/// Kinds of types (`BTF_KIND_*`, include/uapi/linux/btf.h).
mod kind {
    pub const INT: u32 = 1;
    pub const PTR: u32 = 2;
    pub const ARRAY: u32 = 3;
    pub const STRUCT: u32 = 4;
    pub const UNION: u32 = 5;
    pub const ENUM: u32 = 6;
    pub const FWD: u32 = 7;
    pub const TYPEDEF: u32 = 8;
    pub const VOLATILE: u32 = 9;
    pub const CONST: u32 = 10;
    pub const RESTRICT: u32 = 11;
    pub const FUNC: u32 = 12;
    pub const FUNC_PROTO: u32 = 13;
    pub const VAR: u32 = 14;
    pub const DATASEC: u32 = 15;
    pub const FLOAT: u32 = 16;
    pub const DECL_TAG: u32 = 17;
    pub const TYPE_TAG: u32 = 18;
    pub const ENUM64: u32 = 19;
}

/// How many types may refer to each other: structures without a name in structures, and other names for a type.
const MAX_DEPTH: u32 = 32;

/// Type information.
pub struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// Where each type begins, from type 1 on.
    begins: Vec<u32>,
}

/// A function of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its whole name.
    pub name: String,
    /// The name of the structure to which its only argument is a pointer; empty if it is called otherwise.
    pub argument: String,
}

#[derive(Clone, Copy)]
struct Type<'a> {
    name: u32,
    kind: u32,
    /// Whether the offsets of members contain the sizes of bit fields.
    has_bit_fields: bool,
    /// Its size or the type that it refers to.
    refers_to: u32,
    /// Members, parameters and the like.
    rest: &'a [u8],
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

fn part(bytes: &[u8], begin: u32, len: u32) -> Option<&[u8]> {
    bytes.get(begin as usize..)?.get(..len as usize)
}

impl<'a> Btf<'a> {
    /// The ids of the functions with these names; `None` for one that is not there. This takes a fraction of the time of
    /// [`Btf::parse`].
    pub fn function_ids<const N: usize>(bytes: &[u8], names: [&str; N]) -> [Option<u32>; N] {
        let mut ids = [None; N];
        let Some(btf) = Btf::sections(bytes) else { return ids };
        // Each string is there once, and the string at 0 is empty.
        let offset = |name: &str| {
            let wanted = [b"\0", name.as_bytes(), b"\0"].concat();
            u32::try_from(memmem::find(btf.strings, &wanted)? + 1).ok()
        };
        let names = names.map(offset);
        let mut missing = names.iter().flatten().count();
        let (mut at, mut id) = (0, 1);
        while missing > 0
            && let Some((of_this, len)) = btf.type_at(at)
        {
            if of_this.kind == kind::FUNC
                && let Some(which) = names.iter().position(|name| *name == Some(of_this.name))
                && let Some(found) = ids.get_mut(which).filter(|found| found.is_none())
            {
                *found = Some(id);
                missing -= 1;
            }
            at += len;
            id += 1;
        }
        ids
    }

    fn sections(bytes: &'a [u8]) -> Option<Self> {
        if u16::from_ne_bytes(*bytes.first_chunk()?) != MAGIC {
            return None;
        }
        let body = bytes.get(word(bytes, 4)? as usize..)?;
        let types = part(body, word(bytes, 8)?, word(bytes, 12)?)?;
        let strings = part(body, word(bytes, 16)?, word(bytes, 20)?)?;
        Some(Self { types, strings, begins: Vec::new() })
    }

    /// Finds the types. Those behind one of an unknown kind are left out. `None` if the bytes are not BTF.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut btf = Self::sections(bytes)?;
        let mut at = 0;
        while let Some((_, len)) = btf.type_at(at) {
            btf.begins.push(at);
            at += len;
        }
        Some(btf)
    }

    /// The type that begins there, and its length in bytes.
    fn type_at(&self, at: u32) -> Option<(Type<'a>, u32)> {
        let bytes = self.types.get(at as usize..)?;
        let (name, info, refers_to) = (word(bytes, 0)?, word(bytes, 4)?, word(bytes, 8)?);
        let (kind, count) = (info >> 24 & 0x1f, info & 0xffff);
        let rest_len = match kind {
            kind::PTR
            | kind::FWD
            | kind::TYPEDEF
            | kind::VOLATILE
            | kind::CONST
            | kind::RESTRICT
            | kind::FUNC
            | kind::FLOAT
            | kind::TYPE_TAG => 0,
            kind::INT | kind::VAR | kind::DECL_TAG => 4,
            kind::ARRAY => 12,
            kind::ENUM | kind::FUNC_PROTO => count * 8,
            kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => count * 12,
            _ => return None,
        };
        let rest = part(bytes, 12, rest_len)?;
        Some((Type { name, kind, has_bit_fields: info >> 31 != 0, refers_to, rest }, 12 + rest_len))
    }

    fn get(&self, id: u32) -> Option<Type<'a>> {
        let at = *self.begins.get(id.checked_sub(1)? as usize)?;
        self.type_at(at).map(|(of_this, _)| of_this)
    }

    /// The type without names, qualifiers and tags.
    fn plain(&self, mut id: u32) -> Option<Type<'a>> {
        for _ in 0..MAX_DEPTH {
            let of_this = self.get(id)?;
            match of_this.kind {
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    id = of_this.refers_to;
                }
                _ => return Some(of_this),
            }
        }
        None
    }

    fn name(&self, at: u32) -> &'a [u8] {
        let bytes = self.strings.get(at as usize..).unwrap_or_default();
        bytes.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// The function that is the type `id`.
    pub fn function(&self, id: u32) -> Option<Function> {
        let function = self.get(id).filter(|function| function.kind == kind::FUNC)?;
        let prototype = self.get(function.refers_to).filter(|of_this| of_this.kind == kind::FUNC_PROTO)?;
        let argument = (prototype.rest.len() == 8)
            .then(|| word(prototype.rest, 4))
            .flatten()
            .and_then(|argument| self.plain(argument))
            .filter(|argument| argument.kind == kind::PTR)
            .and_then(|pointer| self.plain(pointer.refers_to))
            .filter(|pointee| pointee.kind == kind::STRUCT);
        let text = |name| String::from_utf8_lossy(self.name(name)).into_owned();
        Some(Function {
            name: text(function.name),
            argument: argument.map(|argument| text(argument.name)).unwrap_or_default(),
        })
    }

    /// Offset in bytes of a member of the structure `name`: of the first in `path`, then of the next one in that.
    pub fn offset(&self, name: &str, path: &[&str]) -> Option<u32> {
        let mut all = self.begins.iter().filter_map(|at| self.type_at(*at).map(|(of_this, _)| of_this));
        let mut within =
            all.find(|of_this| of_this.kind == kind::STRUCT && self.name(of_this.name) == name.as_bytes())?;
        let mut offset = 0u32;
        for (position, member) in path.iter().enumerate() {
            let (at, of_member) = self.member(within, member.as_bytes(), MAX_DEPTH)?;
            offset = offset.checked_add(at)?;
            if position + 1 < path.len() {
                within = self.plain(of_member)?;
            }
        }
        Some(offset)
    }

    /// Offset and type of a member, which may be in a member without a name.
    fn member(&self, within: Type<'a>, wanted: &[u8], depth: u32) -> Option<(u32, u32)> {
        if !matches!(within.kind, kind::STRUCT | kind::UNION) {
            return None;
        }
        within.rest.chunks_exact(12).find_map(|member| {
            let (name, of_member, bits) = (word(member, 0)?, word(member, 4)?, word(member, 8)?);
            let offset = if within.has_bit_fields { bits & 0xff_ffff } else { bits } / 8;
            let name = self.name(name);
            if name == wanted {
                return Some((offset, of_member));
            }
            if !name.is_empty() {
                return None;
            }
            let (inner, of_member) = self.member(self.plain(of_member)?, wanted, depth.checked_sub(1)?)?;
            Some((offset.checked_add(inner)?, of_member))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `int (struct xdp_md *)` called `observed_function`, and a structure with a member in one without a name.
    fn example() -> Vec<u8> {
        let strings = b"\0xdp_md\0observed_function\0ctx\0outer\0first\0second\0third\0";
        let at = |name: &[u8]| strings.windows(name.len()).position(|window| window == name).unwrap() as u32;
        let info = |kind: u32, count: u32| kind << 24 | count;
        let types: Vec<u32> = [
            &[at(b"xdp_md"), info(kind::STRUCT, 0), 0][..],
            &[0, info(kind::PTR, 0), 1],
            &[0, info(kind::INT, 0), 4, 32],
            &[0, info(kind::FUNC_PROTO, 1), 3, at(b"ctx"), 2],
            &[at(b"observed_function"), info(kind::FUNC, 0), 4],
            // A union of 8 bytes with `second`, in a structure that has `third` behind it.
            &[0, info(kind::UNION, 1), 8, at(b"second"), 3, 0],
            &[0, info(kind::TYPEDEF, 0), 6],
            &[at(b"outer"), info(kind::STRUCT, 3), 16],
            &[at(b"first"), 3, 0, 0, 7, 32, at(b"third"), 6, 96],
        ]
        .concat();
        let types: Vec<u8> = types.into_iter().flat_map(u32::to_ne_bytes).collect();
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        for word in [24, 0, types.len() as u32, types.len() as u32, strings.len() as u32] {
            bytes.extend(u32::to_ne_bytes(word));
        }
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn a_function_has_its_whole_name_and_its_argument() {
        let bytes = example();
        let btf = Btf::parse(&bytes).unwrap();
        let function = btf.function(5).unwrap();
        assert_eq!(
            function,
            Function { name: "observed_function".to_owned(), argument: "xdp_md".to_owned() }
        );
        let names = ["outer", "observed_function", "function"];
        assert_eq!(
            Btf::function_ids(&bytes, names),
            [None, Some(5), None],
            "a structure, and the end of a name"
        );
        for other in [0, 1, 4, 6, 99] {
            assert_eq!(btf.function(other), None, "{other}");
        }
    }

    #[test]
    fn members_are_found_in_members_without_names_and_behind_other_names() {
        let bytes = example();
        let btf = Btf::parse(&bytes).unwrap();
        assert_eq!(btf.offset("outer", &["first"]), Some(0));
        assert_eq!(btf.offset("outer", &["second"]), Some(4));
        assert_eq!(btf.offset("outer", &["third", "second"]), Some(12));
        assert_eq!(btf.offset("outer", &["fourth"]), None);
        assert_eq!(btf.offset("inner", &["first"]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(
            at in any::<proptest::sample::Index>(),
            value in any::<u8>(),
            len in any::<proptest::sample::Index>(),
        ) {
            let mut bytes = example();
            let at = at.index(bytes.len());
            bytes[at] = value;
            bytes.truncate(len.index(bytes.len() + 1));
            let _ = Btf::function_ids(&bytes, ["observed_function"]);
            if let Some(btf) = Btf::parse(&bytes) {
                (0..12).for_each(|id| drop(btf.function(id)));
                let _ = btf.offset("outer", &["third", "second"]);
            }
        }
    }
}
