//! The interfaces of several inputs as those of one capture.

use std::collections::{HashMap, HashSet};

use crate::packet::Interface;

/// Numbers interfaces anew, and keeps their names apart.
///
/// If two arguments of `-r` have an interface of the same name, each is called `LABEL:NAME`. An interface without a name gets
/// the argument's label. A directory is one argument: interfaces of its files that are described in the same way are one.
#[derive(Debug, Default)]
pub struct Interfaces {
    /// Of each argument.
    labels: Vec<String>,
    /// Number of interfaces so far.
    count: u32,
    /// The argument to which a name belongs, as its files say it.
    owners: HashMap<String, usize>,
    /// Names of interfaces of several arguments.
    shared: HashSet<String>,
    /// The interfaces of directories.
    known: HashMap<(usize, Interface), u32>,
}

impl Interfaces {
    /// For arguments with these labels.
    pub fn new(labels: Vec<String>) -> Self {
        Self { labels, ..Self::default() }
    }

    /// Takes note of an interface's name, before one with that name is added.
    pub fn expect(&mut self, argument: usize, interface: &Interface) {
        if let Some(name) = &interface.name {
            let owner = *self.owners.entry(name.clone()).or_insert(argument);
            if owner != argument {
                self.shared.insert(name.clone());
            }
        }
    }

    /// The number of an interface. It is left in `interface`, with its name, if it is new.
    pub fn add(
        &mut self,
        argument: usize,
        is_directory: bool,
        interface: Interface,
    ) -> (u32, Option<Interface>) {
        if is_directory && let Some(&number) = self.known.get(&(argument, interface.clone())) {
            return (number, None);
        }
        let number = self.count;
        self.count += 1;
        if is_directory {
            self.known.insert((argument, interface.clone()), number);
        }
        let name = self.name(argument, &interface);
        (number, Some(Interface { name, ..interface }))
    }

    fn name(&mut self, argument: usize, interface: &Interface) -> Option<String> {
        if self.labels.len() < 2 {
            return interface.name.clone();
        }
        let label = self.labels.get(argument)?;
        let Some(name) = &interface.name else { return Some(label.clone()) };
        let owner = *self.owners.entry(name.clone()).or_insert(argument);
        // The other one has its name already if this one came too late to be expected.
        let is_shared = owner != argument || self.shared.contains(name);
        Some(if is_shared { format!("{label}:{name}") } else { name.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Interface {
        Interface { name: Some(name.to_owned()), ..Interface::default() }
    }

    fn add(interfaces: &mut Interfaces, argument: usize, interface: Interface) -> (u32, Option<String>) {
        let (number, new) = interfaces.add(argument, false, interface);
        (number, new.unwrap().name)
    }

    #[test]
    fn names_that_two_inputs_have_are_kept_apart() {
        let mut interfaces = Interfaces::new(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]);
        for (argument, name) in [(0, "eth0"), (0, "eth0"), (0, "eth1"), (1, "eth0"), (2, "eth2")] {
            interfaces.expect(argument, &named(name));
        }
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(add(&mut interfaces, 0, named("eth0")), (0, name("a:eth0")));
        assert_eq!(add(&mut interfaces, 0, named("eth1")), (1, name("eth1")));
        assert_eq!(add(&mut interfaces, 1, named("eth0")), (2, name("b:eth0")));
        assert_eq!(add(&mut interfaces, 2, named("eth2")), (3, name("eth2")));
        // One that comes late cannot change the name that the other has already.
        assert_eq!(add(&mut interfaces, 1, named("eth1")), (4, name("b:eth1")));
        assert_eq!(add(&mut interfaces, 2, Interface::default()), (5, name("c")));
    }

    #[test]
    fn a_directory_has_each_interface_once() {
        let mut interfaces = Interfaces::new(vec!["caps".to_owned()]);
        let (number, new) = interfaces.add(0, true, named("eth0"));
        assert_eq!((number, new), (0, Some(named("eth0"))));
        assert_eq!(interfaces.add(0, true, named("eth0")), (0, None));
        let other = Interface { snap_len: 96, ..named("eth0") };
        assert_eq!(interfaces.add(0, true, other.clone()), (1, Some(other)));
        assert_eq!(interfaces.add(0, true, Interface::default()), (2, Some(Interface::default())));
    }
}
