//! The manifests and the image's recipe in `docs/fleet/` are right for Kubernetes and for the tool, and agree with one another.
//! `kernel_fleet.rs` runs them.
//!
//! Kubernetes' schemas come with `kubernetes-validate` from PyPI, which `cargo xtask test` installs.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path, sync::LazyLock};

use serde_json::Value;
use xdpdump::{
    cli,
    config::{Capture, Config, Interfaces},
};
use xdpdump_testing::{
    fleet::{self, Containerfile, Manifests, Step, strings},
    skip,
};

/// The fleet's manifests; without the validator, the test is skipped.
fn manifests() -> Option<&'static Manifests> {
    static MANIFESTS: LazyLock<Option<Manifests>> = LazyLock::new(Manifests::of_fleet);
    if MANIFESTS.is_none() {
        skip::because("kubernetes-validate is not installed: `cargo xtask test` installs it from PyPI");
    }
    MANIFESTS.as_ref()
}

/// The capture's container.
fn container(manifests: &Manifests) -> &Value {
    let containers = manifests.pod()["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    &containers[0]
}

fn capture(manifests: &Manifests) -> Capture {
    let arguments = fleet::arguments(container(manifests), "node-a");
    let config = cli::parse(["xdpdump".to_owned()].into_iter().chain(arguments).map(Into::into));
    let Config::Capture(capture) = config.unwrap_or_else(|error| panic!("{error}")) else {
        panic!("no capture")
    };
    capture
}

#[test]
fn the_manifests_satisfy_the_schemas_of_kubernetes() {
    let Some(manifests) = manifests() else { return };
    assert!(manifests.versions.len() > 5, "{:?}", manifests.versions);
    for kind in ["Namespace", "ServiceAccount", "DaemonSet"] {
        manifests.only(kind);
    }
}

/// The schemas notice what is wrong; otherwise the test above would show nothing.
#[test]
fn the_schemas_refuse_wrong_manifests() {
    let text = fs::read_to_string(fleet::repository("docs/fleet/daemonset.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.yaml");
    for (right, wrong) in [
        ("readOnlyRootFilesystem:", "readOnlyRootFileSystem:"),
        ("hostNetwork: true", "hostNetwork: maybe"),
        ("            - \"65536\"\n", "            - 65536\n"),
        ("apiVersion: apps/v1", "apiVersion: v1"),
        ("      serviceAccountName: xdpdump\n", "      serviceAccountName: [xdpdump]\n"),
    ] {
        assert!(text.contains(right), "{right}");
        fs::write(&path, text.replace(right, wrong)).unwrap();
        let Some(result) = Manifests::read(&path) else {
            skip::because("kubernetes-validate is not installed: `cargo xtask test` installs it from PyPI");
            return;
        };
        assert!(result.is_err(), "{wrong}");
    }
}

#[test]
fn the_arguments_are_a_capture_with_a_budget_of_the_disk() {
    let Some(manifests) = manifests() else { return };
    let capture = capture(manifests);
    assert_eq!(capture.interfaces, Interfaces::Named(vec!["eth0".into()]));
    let file = capture.destination.file.unwrap();
    assert_eq!(file.path, Path::new("/captures/node-a-%Y%m%d-%H%M%S.pcapng"));
    let rotation = file.rotation.unwrap();
    assert!(rotation.on_hangup && rotation.is_aligned);
    assert_eq!((rotation.max_total, rotation.min_free), (Some(10 << 30), Some(5 << 30)));
    assert_eq!(
        (rotation.size, rotation.period.map(|period| period.as_secs())),
        (Some(100 << 20), Some(3600))
    );
    assert_eq!(capture.destination.status.unwrap().file.unwrap(), Path::new("/metrics/xdpdump.prom"));
}

/// In MiB.
fn mebibytes(quantity: &Value) -> u64 {
    quantity.as_str().unwrap().strip_suffix("Mi").unwrap().parse().unwrap()
}

#[test]
fn rings_take_no_more_than_half_of_the_memory() {
    let Some(manifests) = manifests() else { return };
    let rings = capture(manifests).buffer.unwrap() >> 20;
    let memory = &container(manifests)["resources"];
    assert!(rings <= mebibytes(&memory["limits"]["memory"]) / 2, "{rings} MiB");
    assert!(mebibytes(&memory["requests"]["memory"]) > rings);
}

/// A folder that a process writes or a probe reads is a volume; a volume that is mounted is there.
#[test]
fn volumes_are_where_the_capture_writes() {
    let Some(manifests) = manifests() else { return };
    let pod = manifests.pod();
    let volumes: Vec<_> = pod["volumes"].as_array().unwrap().iter().map(|volume| &volume["name"]).collect();
    let capture = capture(manifests);
    for container in [&pod["initContainers"][0], container(manifests)] {
        let mounts = container["volumeMounts"].as_array().unwrap();
        assert!(mounts.iter().all(|mount| volumes.contains(&&mount["name"])), "{mounts:?}");
        let paths: Vec<_> =
            mounts.iter().map(|mount| Path::new(mount["mountPath"].as_str().unwrap())).collect();
        let metrics = capture.destination.status.as_ref().unwrap().file.as_ref().unwrap();
        for file in [&capture.destination.file.as_ref().unwrap().path, metrics] {
            assert!(paths.contains(&file.parent().unwrap()), "{}", file.display());
        }
    }
}

#[test]
fn the_capture_has_no_more_rights_than_it_takes() {
    let Some(manifests) = manifests() else { return };
    let recipe = Containerfile::of_fleet();
    let context = &container(manifests)["securityContext"];
    assert_eq!(
        (&context["runAsUser"], &context["runAsGroup"]),
        (&recipe.user.0.into(), &recipe.user.1.into())
    );
    assert_ne!(recipe.user.0, 0);
    assert_eq!(context["runAsNonRoot"], true);
    assert_eq!(context["readOnlyRootFilesystem"], true);
    assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault");
    assert!(context["privileged"].is_null());
    // Otherwise the kernel ignores the program file's capabilities (Documentation/userspace-api/no_new_privs.rst).
    assert_eq!(context["allowPrivilegeEscalation"], true);
    assert_eq!(strings(&context["capabilities"]["drop"]), ["ALL"]);

    // What is added, what the image gives to the program file, and what the page about privileges names are the same.
    let mut added = strings(&context["capabilities"]["add"]);
    added.sort();
    let of = |text: &str| {
        let list = text.split("setcap ").nth(1).unwrap().split("=ep").next().unwrap().to_owned();
        let mut names: Vec<_> = list.split(',').map(|name| name.to_uppercase().replace("CAP_", "")).collect();
        names.sort();
        names
    };
    let run = recipe.steps.iter().find_map(|step| match step {
        Step::Run(command) => Some(of(command)),
        Step::Copy { .. } => None,
    });
    assert_eq!(run.unwrap(), added);
    assert_eq!(of(&fs::read_to_string(fleet::repository("docs/privileges.md")).unwrap()), added);

    let first = &manifests.pod()["initContainers"][0];
    assert_eq!(strings(&first["securityContext"]["capabilities"]["drop"]), ["ALL"]);
    assert_eq!(strings(&first["securityContext"]["capabilities"]["add"]), ["CHOWN"]);
    assert_eq!(first["securityContext"]["allowPrivilegeEscalation"], false);
    let owner = format!("{}:{}", recipe.user.0, recipe.user.1);
    assert_eq!(strings(&first["command"])[..2], ["chown", &owner]);
}

/// What schemas do not say: names that have to be the same.
#[test]
fn the_manifests_agree_with_one_another() {
    let Some(manifests) = manifests() else { return };
    let set = manifests.only("DaemonSet");
    let namespace = &manifests.only("Namespace")["metadata"]["name"];
    assert_eq!(
        (namespace, namespace),
        (&set["metadata"]["namespace"], &manifests.only("ServiceAccount")["metadata"]["namespace"])
    );
    assert_eq!(manifests.pod()["serviceAccountName"], manifests.only("ServiceAccount")["metadata"]["name"]);
    for object in [manifests.pod(), manifests.only("ServiceAccount")] {
        assert_eq!(object["automountServiceAccountToken"], false);
    }
    assert_eq!(set["spec"]["selector"]["matchLabels"], set["spec"]["template"]["metadata"]["labels"]);
    let version = format!("/xdpdump:{}", env!("CARGO_PKG_VERSION"));
    for container in [&manifests.pod()["initContainers"][0], container(manifests)] {
        assert!(container["image"].as_str().unwrap().ends_with(&version), "{}", container["image"]);
    }
    // The script finds the pods by this label, in this namespace and container.
    let script = fs::read_to_string(fleet::repository("docs/fleet/all-nodes.sh")).unwrap();
    let label = &set["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"];
    for words in [
        format!("-n {} ", namespace.as_str().unwrap()),
        format!("-l app.kubernetes.io/name={} ", label.as_str().unwrap()),
        format!("-c {} ", container(manifests)["name"].as_str().unwrap()),
    ] {
        assert!(script.contains(&words), "{words}");
    }
}
