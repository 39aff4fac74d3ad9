//! Resolves names of hosts, networks, services and protocols, from the same files below /etc as the C library.

use std::{
    fs,
    net::{IpAddr, ToSocketAddrs},
    path::Path,
};

use super::literal;

/// IP protocols that have ports.
pub(super) const TCP: u32 = 6;
pub(super) const UDP: u32 = 17;
pub(super) const SCTP: u32 = 132;

/// A port, and the protocol that it is assigned for; `None` if it is for every protocol that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub port: u16,
    pub protocol: Option<u32>,
}

/// The addresses of a host; sends a DNS query if no file has the name.
pub(super) fn host(name: &str) -> Result<Vec<IpAddr>, String> {
    match (name, 0).to_socket_addrs() {
        Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
        Err(_) => Err(format!("the address of host '{name}' cannot be found")),
    }
}

/// A port by its number or by its name in /etc/services.
pub(super) fn port(name: &str) -> Result<Service, String> {
    if let Ok(number) = name.parse::<u32>() {
        let too_large = |_| format!("{number} is not a port: the highest is 65535");
        return Ok(Service { port: u16::try_from(number).map_err(too_large)?, protocol: None });
    }
    find_service(&read("/etc/services")?, name)
        .ok_or_else(|| format!("no service of tcp or udp is called '{name}' in /etc/services"))
}

/// A range such as `6000-6008`, or two names of services separated by `-`.
pub(super) fn port_range(range: &str) -> Result<(Service, Service), String> {
    let (first, last) = range
        .split_once('-')
        .ok_or_else(|| format!("'{range}' is not a range of ports such as 6000-6008"))?;
    Ok((port(first)?, port(last)?))
}

/// The number of an IP protocol by its name or alias in /etc/protocols.
pub(super) fn protocol(name: &str) -> Result<u32, String> {
    entries(&read("/etc/protocols")?)
        .find(|entry| entry.is_called(name))
        .and_then(|entry| entry.value.parse().ok())
        .ok_or_else(|| format!("no IP protocol is called '{name}' in /etc/protocols"))
}

/// A network by its name or alias in /etc/networks: address and mask. As in libpcap, which does not know the length of
/// the network's number, the mask has all bits set, unless the first octets are zero.
pub(super) fn network(name: &str) -> Result<(u32, u32), String> {
    entries(&read("/etc/networks")?)
        .find(|entry| entry.is_called(name))
        .and_then(|entry| network_number(entry.value))
        .filter(|&number| number != 0)
        .map(left_aligned)
        .ok_or_else(|| format!("no network is called '{name}' in /etc/networks"))
}

/// The MAC address of a host in /etc/ethers.
pub(super) fn ether_host(name: &str) -> Result<[u8; 6], String> {
    let unknown = format!("no host is called '{name}' in /etc/ethers");
    let text = if Path::new("/etc/ethers").exists() { read("/etc/ethers")? } else { return Err(unknown) };
    entries(&text).find(|entry| entry.value == name).and_then(|entry| literal::mac(entry.name)).ok_or(unknown)
}

/// Shifts a network's number to the left if its first octets are missing: `10` becomes 10.0.0.0 with mask 255.0.0.0.
pub(super) fn left_aligned(mut number: u32) -> (u32, u32) {
    let mut mask = u32::MAX;
    while number != 0 && number >> 24 == 0 {
        number <<= 8;
        mask <<= 8;
    }
    (number, mask)
}

fn find_service(services: &str, name: &str) -> Option<Service> {
    let port_of = |protocol: &str| {
        entries(services).filter(|entry| entry.is_called(name)).find_map(|entry| {
            let (port, its_protocol) = entry.value.split_once('/')?;
            if its_protocol == protocol { port.parse().ok() } else { None }
        })
    };
    match (port_of("tcp"), port_of("udp")) {
        (Some(port), udp) => Some(Service { port, protocol: (udp != Some(port)).then_some(TCP) }),
        (None, Some(port)) => Some(Service { port, protocol: Some(UDP) }),
        (None, None) => None,
    }
}

/// A number of one to four parts separated by dots, as the C library reads /etc/networks; missing parts are the last
/// ones.
fn network_number(text: &str) -> Option<u32> {
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for (octet, part) in octets.iter_mut().zip(&mut parts) {
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then(|| u32::from_be_bytes(octets))
}

fn read(path: &str) -> Result<String, String> {
    fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|error| format!("the name cannot be looked up, because {path} cannot be read: {error}"))
}

/// A line of one of these files: a name, its value, and aliases.
struct Entry<'a> {
    name: &'a str,
    value: &'a str,
    aliases: Vec<&'a str>,
}

impl Entry<'_> {
    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    text.lines().filter_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        Some(Entry { name: words.next()?, value: words.next()?, aliases: words.collect() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICES: &str = "\
# a comment
domain 53/tcp
domain 53/udp # both
http 80/tcp www www-http
syslog 514/udp
shell 514/tcp cmd
odd 1/tcp
odd 2/udp
";

    #[test]
    fn a_service_is_for_both_protocols_only_if_its_port_is() {
        let service = |port, protocol| Some(Service { port, protocol });
        assert_eq!(find_service(SERVICES, "domain"), service(53, None));
        assert_eq!(find_service(SERVICES, "www"), service(80, Some(TCP)));
        assert_eq!(find_service(SERVICES, "syslog"), service(514, Some(UDP)));
        assert_eq!(find_service(SERVICES, "odd"), service(1, Some(TCP)));
        assert_eq!(find_service(SERVICES, "gopher"), None);
    }

    #[test]
    fn ports_by_number() {
        assert_eq!(port("443"), Ok(Service { port: 443, protocol: None }));
        assert!(port("70000").unwrap_err().contains("65535"));
        let (first, last) = port_range("6000-6008").unwrap();
        assert_eq!((first.port, last.port), (6000, 6008));
    }

    #[test]
    fn networks_are_aligned_to_the_left() {
        assert_eq!(left_aligned(10), (0x0a00_0000, 0xff00_0000));
        assert_eq!(left_aligned(0x7f00_0001), (0x7f00_0001, u32::MAX));
        assert_eq!(left_aligned(0), (0, u32::MAX));
    }

    #[test]
    fn numbers_of_networks() {
        assert_eq!(network_number("169.254.0.0"), Some(0xa9fe_0000));
        assert_eq!(network_number("10"), Some(0x0a00_0000));
        assert_eq!(network_number("1.2.3.4.5"), None);
        assert_eq!(network_number("300"), None);
    }

    #[test]
    fn numeric_hosts_need_no_name_service() {
        assert_eq!(host("10.0.0.1"), Ok(vec!["10.0.0.1".parse().unwrap()]));
    }
}
