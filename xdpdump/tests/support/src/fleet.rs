//! What `docs/fleet/` has for Kubernetes: the manifests, and the recipe of the image.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Reads a file of manifests, and validates each of them with the schemas of all versions that the validator has, strictly:
/// a field that no schema has is an error. Prints them as JSON.
const VALIDATE: &str = "
import json, sys, yaml, kubernetes_validate

with open(sys.argv[1]) as file:
    manifests = list(yaml.safe_load_all(file))
versions = kubernetes_validate.utils.all_versions()
for version in versions:
    for manifest in manifests:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.utils.ValidationError as error:
            sys.exit(f'Kubernetes {version}: {manifest[\"kind\"]}: {list(error.path)}: {error.message}')
print(json.dumps({'versions': versions, 'manifests': manifests}))
";

/// A folder or file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(path)
}

/// The Python interpreter with the package `kubernetes-validate`, if there is one.
fn python() -> Option<PathBuf> {
    let own = repository("target/tools/kubernetes-validate/bin/python");
    [own, PathBuf::from("python3")].into_iter().find(|python| {
        let import = Command::new(python).args(["-c", "import kubernetes_validate"]).output();
        import.is_ok_and(|output| output.status.success())
    })
}

/// Manifests that satisfy the schemas of Kubernetes.
#[derive(Debug)]
pub struct Manifests {
    /// The versions of Kubernetes whose schemas they satisfy.
    pub versions: Vec<String>,
    all: Vec<Value>,
}

impl Manifests {
    /// Reads and validates a file; `None` if the validator is not installed.
    ///
    /// # Errors
    /// What does not satisfy the schemas.
    pub fn read(path: &Path) -> Option<Result<Self, String>> {
        let output = Command::new(python()?).args(["-c", VALIDATE]).arg(path).output().unwrap();
        if !output.status.success() {
            return Some(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let versions = strings(&printed["versions"]);
        Some(Ok(Self { versions, all: printed["manifests"].as_array().unwrap().clone() }))
    }

    /// Those of the fleet.
    ///
    /// # Panics
    /// When they do not satisfy the schemas.
    pub fn of_fleet() -> Option<Self> {
        Some(Self::read(&repository("docs/fleet/daemonset.yaml"))?.unwrap_or_else(|error| panic!("{error}")))
    }

    /// The only one of a kind.
    ///
    /// # Panics
    /// When there is none, or several.
    pub fn only(&self, kind: &str) -> &Value {
        let mut found = self.all.iter().filter(|manifest| manifest["kind"] == kind);
        let only = found.next().unwrap_or_else(|| panic!("no {kind}"));
        assert!(found.next().is_none(), "several of {kind}");
        only
    }

    /// What the DaemonSet says about its pods.
    pub fn pod(&self) -> &Value {
        &self.only("DaemonSet")["spec"]["template"]["spec"]
    }
}

/// The strings of a list; none if there is no list.
///
/// # Panics
/// When something else is in it.
pub fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// The arguments of a container, as Kubernetes gives them on a node of this name: `$(NAME)` is a variable of the container.
///
/// # Panics
/// When a variable is not defined.
pub fn arguments(container: &Value, node: &str) -> Vec<String> {
    let value = |name: &str| {
        let defined = container["env"].as_array().into_iter().flatten().find(|env| env["name"] == name);
        let env = defined.unwrap_or_else(|| panic!("the variable {name} is not defined"));
        match env["value"].as_str() {
            Some(value) => value.to_owned(),
            None if env["valueFrom"]["fieldRef"]["fieldPath"] == "spec.nodeName" => node.to_owned(),
            None => panic!("{env}"),
        }
    };
    let expanded = |argument: String| {
        let mut parts = argument.split("$(");
        let mut text = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once(')').unwrap();
            text += &value(name);
            text += rest;
        }
        text
    };
    strings(&container["args"]).into_iter().map(expanded).collect()
}

/// A step of an image's recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Copies files of the folder in which it is built to a place in the image.
    Copy {
        /// Paths in that folder.
        from: Vec<String>,
        /// A path in the image.
        to: String,
    },
    /// Runs a shell's command line as root.
    Run(String),
}

/// A recipe of an image in one stage.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Containerfile {
    /// The image from which it begins.
    pub base: String,
    /// What is done to that.
    pub steps: Vec<Step>,
    /// Number of the user and of the group.
    pub user: (u32, u32),
    /// The program.
    pub entrypoint: Vec<String>,
}

impl Containerfile {
    /// Reads that of the fleet.
    ///
    /// # Panics
    /// When it has an instruction that is not known here.
    pub fn of_fleet() -> Self {
        Self::parse(&fs::read_to_string(repository("docs/fleet/Containerfile")).unwrap())
    }

    fn parse(text: &str) -> Self {
        let lines: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let mut recipe = Self::default();
        for line in lines.join("\n").replace("\\\n", " ").lines().filter(|line| !line.is_empty()) {
            let (instruction, rest) = line.split_once(' ').unwrap();
            let rest = rest.trim();
            match instruction {
                "FROM" if recipe.base.is_empty() => rest.clone_into(&mut recipe.base),
                "COPY" => {
                    let mut from: Vec<_> = rest.split_whitespace().map(str::to_owned).collect();
                    assert!(!rest.contains("--"), "{line}");
                    let to = from.pop().unwrap();
                    recipe.steps.push(Step::Copy { from, to });
                }
                "RUN" => recipe.steps.push(Step::Run(rest.to_owned())),
                "USER" => {
                    let (user, group) = rest.split_once(':').unwrap();
                    recipe.user = (user.parse().unwrap(), group.parse().unwrap());
                }
                "ENTRYPOINT" => recipe.entrypoint = serde_json::from_str(rest).unwrap(),
                _ => panic!("{line}"),
            }
        }
        recipe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_read() {
        let text = "# one\nFROM base\nCOPY a b /c/\nRUN one \\\n    # why\n    && two\nUSER 1:2\nENTRYPOINT [\"/c/a\"]\n";
        let steps = vec![
            Step::Copy { from: vec!["a".into(), "b".into()], to: "/c/".into() },
            Step::Run("one      && two".into()),
        ];
        assert_eq!(
            Containerfile::parse(text),
            Containerfile { base: "base".into(), steps, user: (1, 2), entrypoint: vec!["/c/a".into()] }
        );
    }
}
