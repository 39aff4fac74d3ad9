//! The drawing in ARCHITECTURE.md holds every import between the modules of the crate, and each import goes down.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// For each module, those that it imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The indented lines `module ► imports · explanation`, and the number of each module's layer, counted from the top. A line
/// without `►` continues the imports of the line above; a line of `─` separates two layers.
fn drawing() -> (Imports, BTreeMap<String, usize>) {
    let (mut imports, mut layers, mut layer) = (Imports::new(), BTreeMap::new(), 0);
    let mut last = None;
    let page = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md"));
    for line in page.lines().filter_map(|line| line.strip_prefix("    ")) {
        if line.starts_with('─') {
            layer += 1;
            continue;
        }
        let drawn = line.split('·').next().unwrap_or_default();
        let imported = match drawn.split_once('►') {
            Some((module, imported)) => {
                layers.insert(module.trim().to_owned(), layer);
                last = Some(module.trim().to_owned());
                imported
            }
            None => drawn,
        };
        let module = last.clone().expect("the drawing begins with a module");
        imports.entry(module).or_default().extend(imported.split_whitespace().map(str::to_owned));
    }
    (imports, layers)
}

/// Every source file below `folder`, without files of unit tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The first name of each path in what follows `crate::`: `a::b` or `{a::b, c::{d, e}, f}`.
fn first_names(text: &str) -> Vec<String> {
    let (mut names, mut depth, mut at_start) = (vec![String::new()], 0, true);
    for character in text.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                names.push(String::new());
                at_start = true;
                continue;
            }
            c if c == '_' || c.is_alphanumeric() => {
                if at_start && let Some(name) = names.last_mut() {
                    name.push(c);
                }
                continue;
            }
            c if c.is_whitespace() && depth > 0 => continue,
            _ => at_start = false,
        }
        if depth <= 0 && !at_start {
            break;
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The imports that the sources have, outside unit tests.
fn code() -> Imports {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut imports = Imports::new();
    for path in files {
        let inside = path.strip_prefix(&root).expect("a path below the sources");
        let module = inside.iter().next().and_then(|name| name.to_str()).expect("a module");
        let module = module.trim_end_matches(".rs").to_owned();
        let text = read(&path);
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        // The binary names the library's root by the crate's name.
        let root_name = if module == "main" { "xdpdump::" } else { "crate::" };
        let imported = code.split(root_name).skip(1).flat_map(first_names).filter(|name| *name != module);
        imports.entry(module.clone()).or_default().extend(imported);
    }
    imports.remove("lib");
    imports
}

#[test]
fn every_import_between_modules_is_drawn_and_goes_to_a_lower_layer() {
    let (drawn, layers) = drawing();
    let code = code();
    for (module, imported) in &code {
        let arrows = drawn.get(module).unwrap_or_else(|| panic!("ARCHITECTURE.md does not draw `{module}`"));
        assert_eq!(
            arrows, imported,
            "left: what ARCHITECTURE.md draws `{module}` to import; right: what it imports"
        );
        for lower in imported {
            let layer =
                layers.get(lower).unwrap_or_else(|| panic!("ARCHITECTURE.md does not draw `{lower}`"));
            assert!(layers[module] < *layer, "`{module}` imports `{lower}`, which is not in a lower layer");
        }
    }
    assert!(drawn.keys().eq(code.keys()), "ARCHITECTURE.md draws a module that does not exist");
}
