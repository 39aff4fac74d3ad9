//! Programs of others, to be named to the user.

/// The name of the loaded program with this id, as its author gave it (at most 15 bytes).
pub fn name(id: u32) -> Option<String> {
    aya::programs::loaded_programs()
        .filter_map(Result::ok)
        .find(|program| program.id() == id)
        .and_then(|program| program.name_as_str().map(str::to_owned))
        .filter(|name| !name.is_empty())
}
