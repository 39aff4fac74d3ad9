//! Interfaces: what their drivers can do, what hides something from a capture, and what is attached to them.

use std::{ffi::OsString, io};

use super::{
    Finding, Group, Verdict,
    kernel::Offer,
    queues::{self, Queues},
};
use crate::{
    config, cpus,
    interface::{AttachedProgram, Error, Link, XdpFeatures, XdpMode, clsact},
    packet::Direction,
    printable::{printable, shell_word},
    probe::{self, Holder, Named},
    report::sentence,
};

const GROUP: Group = Group::Interface;

/// Bytes of a page that native XDP does not use for a frame: `XDP_PACKET_HEADROOM` (include/uapi/linux/bpf.h), `struct
/// skb_shared_info` on a machine with 64 bits, and the Ethernet header, as the veth driver counts them (`veth_xdp_set`,
/// drivers/net/veth.c, v6.18). Other drivers differ by a few bytes.
const ROOM_IN_PAGE: usize = 256 + 320 + 14;

/// The name that stands for every interface that is up.
const ANY: &str = "any";

/// Looks at the interfaces that are named or, if none is, briefly at all that are up.
pub fn examine(config: &config::Doctor, offer: Offer) -> Vec<Finding> {
    let up = |look: fn(&Link, Offer) -> Vec<Finding>| match Link::all() {
        Ok(links) => links.iter().filter(|link| link.up).flat_map(|link| look(link, offer)).collect(),
        Err(error) => vec![GROUP.unknown("link", sentence(&error))],
    };
    if config.interfaces.is_empty() {
        return up(briefly);
    }
    let each = |name: &OsString| match Link::find(name) {
        _ if name == ANY => up(thoroughly),
        Ok(link) => thoroughly(&link, offer),
        Err(error) => vec![missing(&error, config)],
    };
    config.interfaces.iter().flat_map(each).collect()
}

/// An interface that does not exist, with the command that lists those that do.
fn missing(error: &Error, config: &config::Doctor) -> Finding {
    let what = match error {
        Error::UnknownName { name, nearest: Some(nearest) } => {
            format!("no interface named \"{}\"; did you mean \"{nearest}\"?", printable(name))
        }
        Error::UnknownName { name, nearest: None } => format!("no interface named \"{}\"", printable(name)),
        Error::UnknownIndex(number) => format!("no interface has the number {number}"),
        error => return GROUP.failure("link", sentence(error)),
    };
    let of_namespace =
        config.namespace.as_ref().map(|namespace| format!(" --netns {}", shell_word(namespace)));
    GROUP.failure("link", what).with(format!("xdpdump -D{}", of_namespace.unwrap_or_default()))
}

/// One line about an interface, and one for each thing that is wrong with it: with the interface, or because of a setting, but not
/// because of what kind of interface it is.
fn briefly(link: &Link, offer: Offer) -> Vec<Finding> {
    if let Err(error) = link.link_type() {
        return vec![GROUP.ok("link", format!("{error}, and -i any leaves it out")).on(link)];
    }
    let way = Way::of(link);
    let kind = kind(link).map_or_else(String::new, |kind| format!("{kind}, "));
    let count = match Queues::of(link).count {
        0 => String::new(),
        1 => ", 1 receive queue".to_owned(),
        count => format!(", {count} receive queues"),
    };
    let carrier = if link.running { "" } else { ", no carrier" };
    let summary = format!("{kind}{}, MTU {}{count}{carrier}", way.words(), link.mtu);
    let mut found = vec![mtu(link, offer, way)];
    found.extend(joining(link));
    if !link.has_ports() {
        found.push(tags(link, offer, way));
    }
    found.extend(link.xdp.iter().map(|program| occupied_briefly(*program, offer)));
    found.retain(|finding| finding.verdict >= Verdict::Warning);
    let all = [vec![GROUP.ok("link", summary)], found].concat();
    all.into_iter().map(|finding| finding.on(link)).collect()
}

/// Everything about an interface.
fn thoroughly(link: &Link, offer: Offer) -> Vec<Finding> {
    let mut found = vec![state(link)];
    if link.link_type().is_ok() {
        let way = Way::of(link);
        found.extend([xdp(link, way), mtu(link, offer, way)]);
        found.extend(joining(link));
        found.push(tags(link, offer, way));
        found.extend(programs(link));
        found.extend(tc(link));
        found.push(queues(link));
    }
    found.into_iter().map(|finding| finding.on(link)).collect()
}

/// How a capture of an interface would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// In the driver.
    Native(XdpFeatures),
    /// In the network stack, because the driver has no XDP.
    Generic(XdpFeatures),
    /// Beside the program that is attached.
    Beside,
    /// The kernel does not say what the driver can do.
    Unknown,
}

impl Way {
    fn of(link: &Link) -> Self {
        if probe::beside(link, None).is_some() {
            return Self::Beside;
        }
        match link.xdp_features() {
            Ok(features) if features.native() => Self::Native(features),
            Ok(features) => Self::Generic(features),
            Err(_) => Self::Unknown,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Native(_) => "native XDP",
            Self::Generic(_) => "generic XDP",
            Self::Beside => "beside the XDP program that it runs",
            Self::Unknown => "native XDP if the driver has it",
        }
    }
}

/// The kind of an interface, by its driver.
fn kind(link: &Link) -> Option<String> {
    match (&link.driver, &link.kind) {
        (Some(driver), _) => Some(driver.to_string()),
        (None, Some(kind)) => Some(format!("kind {kind}")),
        (None, None) => None,
    }
}

fn state(link: &Link) -> Finding {
    if let Err(error) = link.link_type() {
        return GROUP.failure("link", error.to_string()).on(link);
    }
    let kind = kind(link).map_or_else(String::new, |kind| format!("{kind}; "));
    if !link.up {
        return GROUP
            .warning("link", format!("{kind}it is down, so nothing is received until it is up"))
            .with(format!("ip link set dev {} up", shell_word(&link.name)));
    }
    if !link.running {
        let why = if link.is_veth() { "the other end of the pair is down" } else { "it has no carrier" };
        return GROUP.warning("link", format!("{kind}it is up, but {why}, so nothing is received"));
    }
    let promiscuous = match link.promiscuity {
        0 => "",
        _ => ", in promiscuous mode already",
    };
    GROUP.ok("link", format!("{kind}it is up and running{promiscuous}"))
}

fn xdp(link: &Link, way: Way) -> Finding {
    let name = "xdp";
    let features = match way {
        Way::Native(features) | Way::Generic(features) => features,
        Way::Beside => match link.xdp_features() {
            Ok(features) => features,
            Err(error) => return untold(name, &error),
        },
        Way::Unknown => {
            return untold(name, &link.xdp_features().err().unwrap_or(io::ErrorKind::NotFound.into()));
        }
    };
    let names = features.names().join(", ");
    if !features.native() {
        let nic = if features.offload() { "; programs run on the NIC (-H)" } else { "" };
        return GROUP.ok(
            name,
            format!(
                "the driver has no native XDP: captures run in generic mode, later in the network stack{nic}"
            ),
        );
    }
    let nic = if features.offload() { ", and on the NIC (-H)" } else { "" };
    let cost = if link.is_veth() {
        "; TSO of its peer is off while one does, which makes TCP slower (-S does not)"
    } else {
        ""
    };
    GROUP.ok(name, format!("programs run in the driver, native mode{nic}{cost} (XDP features: {names})"))
}

fn untold(name: &'static str, error: &io::Error) -> Finding {
    GROUP.unknown(
        name,
        format!(
            "the kernel does not say whether the driver has native XDP, which takes Linux 6.3 ({error}): captures try it and, if the \
             driver refuses, run in generic mode"
        ),
    )
}

fn mtu(link: &Link, offer: Offer, way: Way) -> Finding {
    let name = "mtu";
    // What the other end of a pair may send is what comes.
    let (mtu, whose) = match link.veth_peer() {
        Some(peer) => (peer.mtu, peer.name),
        None => (link.mtu, link.name.clone()),
    };
    let fits = rustix::param::page_size().saturating_sub(ROOM_IN_PAGE);
    match way {
        Way::Generic(_) => {
            return GROUP.ok(name, format!("its MTU is {mtu}; generic mode captures frames of any size"));
        }
        Way::Beside => return GROUP.ok(name, format!("its MTU is {mtu}")),
        Way::Native(_) | Way::Unknown if mtu as usize <= fits || link.is_loopback() => {
            return GROUP
                .ok(name, format!("its MTU is {mtu}; such frames fit into one buffer of native mode"));
        }
        Way::Native(_) | Way::Unknown => {}
    }
    let too_large = |why: &str| {
        GROUP
            .warning(
                name,
                format!(
                    "frames for an MTU of {mtu} do not fit into one buffer of native mode, and {why}: captures run in generic \
                     mode"
                ),
            )
            .with(format!("ip link set dev {} mtu {fits}", shell_word(&whose)))
    };
    match (way, offer.several_buffers) {
        (_, Some(false)) => too_large("this kernel has no XDP for several (Linux 5.18)"),
        (Way::Native(features), _) if !features.several_buffers() => {
            too_large("the driver has no XDP for several (rx-sg)")
        }
        (Way::Native(_), Some(true)) => {
            GROUP.ok(name, format!("frames for an MTU of {mtu} come in several buffers, which native mode sees whole"))
        }
        _ => GROUP.unknown(
            name,
            format!(
                "frames for an MTU of {mtu} do not fit into one buffer; whether native mode takes several here cannot be seen; \
                 generic mode does"
            ),
        ),
    }
}

/// Offloads that join received frames before anything sees them.
fn joining(link: &Link) -> Vec<Finding> {
    let joining = match link.joins_frames() {
        Ok(joining) => joining,
        Err(error) => {
            return vec![
                GROUP.unknown("joining", format!("whether frames are joined cannot be seen ({error})")),
            ];
        }
    };
    if joining.is_empty() {
        return vec![GROUP.ok("joining", "no offload joins frames before a capture (LRO, hardware GRO)")];
    }
    joining.into_iter().map(|(feature, command)| joined(feature, command)).collect()
}

fn joined(feature: &str, command: Option<String>) -> Finding {
    let word = if feature == "rx-lro" { "LRO" } else { "hardware GRO" };
    let name = "joining";
    match command {
        None => GROUP.warning(
            name,
            format!("{word} is on and cannot be switched off: drivers may refuse native mode then, and frames may come joined"),
        ),
        command if feature == "rx-lro" => {
            GROUP.warning(name, "LRO is on: drivers may refuse native mode then, and frames may come joined").with(command)
        }
        command => GROUP
            .ok(name, "hardware GRO is on: a capture switches it off until it ends, which makes TCP slower; ethtool switches it off for good")
            .with(command),
    }
}

/// VLAN tags that are kept apart from the bytes of a frame.
fn tags(link: &Link, offer: Offer, way: Way) -> Finding {
    let name = "vlan";
    if link.has_ports() {
        return GROUP.warning(
            name,
            "VLAN tags are taken off before frames get here; a capture on the interfaces that it has as ports has them",
        );
    }
    let apart = match link.tags_apart() {
        Ok(Some(apart)) => apart,
        Ok(None) => return GROUP.ok(name, "VLAN tags of received frames stay in the frames"),
        Err(error) => {
            return GROUP
                .unknown(name, format!("whether VLAN tags stay in the frames cannot be seen ({error})"));
        }
    };
    let change = apart.command;
    let elsewhere = if link.is_veth() && change.is_none() {
        "; `ethtool -K IF txvlan off` on its peer, in its network namespace, leaves them in the frames"
    } else {
        ""
    };
    if matches!(way, Way::Native(_)) && link.tells_tags() && offer.tells_tags == Some(true) {
        return GROUP
            .ok(
                name,
                format!(
                    "VLAN tags are taken off received frames; native mode puts them back, in generic mode (-S) they are \
                     missing{elsewhere}"
                ),
            )
            .with(change);
    }
    let why = match way {
        Way::Beside => "captures beside another XDP program do not know them",
        Way::Generic(_) => "generic mode does not know them",
        Way::Native(_) | Way::Unknown => {
            "neither the driver nor the kernel tells them to a program (Linux 6.8)"
        }
    };
    GROUP
        .warning(name, format!("VLAN tags that are taken off received frames are missing: {why}{elsewhere}"))
        .with(change)
}

/// The XDP programs on an interface, and what they mean for a capture.
fn programs(link: &Link) -> Vec<Finding> {
    let name = "programs";
    if link.xdp.is_empty() {
        return vec![GROUP.ok(name, "no XDP program is attached")];
    }
    let beside = probe::beside(link, None);
    link.xdp
        .iter()
        .map(|attached| {
            if attached.mode == XdpMode::Offload || beside != Some(attached.program_id) {
                let program = program(attached.program_id);
                return GROUP.ok(
                    name,
                    format!(
                        "the XDP program {program} runs in {} mode; captures see what it lets pass",
                        attached.mode
                    ),
                );
            }
            occupied(link, *attached)
        })
        .collect()
}

/// A program beside which a capture runs, or that is in its way.
fn occupied(link: &Link, attached: AttachedProgram) -> Finding {
    let name = "programs";
    let AttachedProgram { mode, program_id } = attached;
    match probe::check_beside(link) {
        Ok(None) => GROUP.ok(name, "no XDP program is attached any more"),
        Ok(Some(target)) => {
            let holder = Holder::find(program_id, link.index);
            let calls = match probe::programs_in(program_id) {
                called if called.is_empty() => String::new(),
                called => format!(", and calls {} (--program chooses one)", list(&called)),
            };
            let target = if target.id == program_id { target.to_string() } else { program(program_id) };
            GROUP.ok(
                name,
                format!(
                    "the XDP program {target} runs in {mode} mode{calls}, {}; captures run beside it: before it or, with --at exit, after \
                     it",
                    held_by(&holder)
                ),
            )
        }
        Err(probe::Error::Occupied { id, name: called, holder, unobservable, .. }) => {
            let why = unobservable.map_or_else(String::new, |reason| format!(": {reason}"));
            let remedy = match &holder {
                Holder::Processes(_) | Holder::Users(_) => "; end that process first",
                _ => "",
            };
            GROUP
                .failure(
                    name,
                    format!(
                        "the XDP program {called} (id {id}) runs in {mode} mode, {}, and captures cannot run beside it{why}; only what is \
                         sent can be captured (-Q out){remedy}",
                        held_by(&holder)
                    ),
                )
                .with(holder.command(&shell_word(&link.name), mode))
        }
        Err(error) => GROUP.unknown(name, sentence(&error)),
    }
}

/// The same without a search for who holds it, which takes longer.
fn occupied_briefly(attached: AttachedProgram, offer: Offer) -> Finding {
    let runs = format!("the XDP program {} runs in {} mode", program(attached.program_id), attached.mode);
    match (attached.mode, offer.beside) {
        (XdpMode::Native | XdpMode::Skb, Some(false)) => GROUP.failure(
            "programs",
            format!("{runs}, and captures cannot run beside it; `doctor -i` says who holds it"),
        ),
        _ => GROUP.ok("programs", runs),
    }
}

/// A program as messages name it.
fn program(id: u32) -> String {
    match probe::program_name(id) {
        Some(name) => Named { id, name }.to_string(),
        None => format!("with the id {id}"),
    }
}

fn list(programs: &[Named]) -> String {
    programs.iter().map(Named::to_string).collect::<Vec<_>>().join(", ")
}

fn held_by(holder: &Holder) -> String {
    match holder {
        Holder::Processes(processes) | Holder::Users(processes) => {
            let names: Vec<_> = processes.iter().map(probe::Process::to_string).collect();
            format!("held by process {}", names.join(", "))
        }
        Holder::Link(id) => format!("held by the BPF link {id}, which no process has open"),
        Holder::Netlink { .. } => "held by no process that can be seen".to_owned(),
        Holder::Unknown => "held by somebody who cannot be seen from here".to_owned(),
    }
}

/// Programs and filters of tc, which captures come before.
fn tc(link: &Link) -> Vec<Finding> {
    let name = "tc";
    let mut findings = Vec::new();
    let filters = clsact::Filters::on(link.index).unwrap_or_else(|error| {
        findings.push(GROUP.unknown(name, format!("its tc filters cannot be seen ({error})")));
        clsact::Filters::default()
    });
    let sides = [
        (
            Direction::Inbound,
            filters.received,
            "received frames pass",
            "XDP is earlier: captures see frames before",
        ),
        (
            Direction::Outbound,
            filters.sent,
            "sent frames pass",
            "a capture of sent frames (-Q out) comes before",
        ),
    ];
    for (direction, filters, pass, meaning) in sides {
        let mut attached = Vec::new();
        match probe::tcx_programs(link, direction) {
            Ok(programs) => attached.extend(programs.iter().map(tcx)),
            // Before Linux 6.6.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
            Err(error) => {
                let unseen = GROUP.unknown(name, format!("its tcx programs cannot be seen ({error})"));
                if !findings.contains(&unseen) {
                    findings.push(unseen);
                }
            }
        }
        attached.extend(filters.iter().map(filter));
        if !attached.is_empty() {
            let them = if attached.len() == 1 { "it" } else { "them" };
            findings.push(GROUP.ok(name, format!("{pass} {}; {meaning} {them}", attached.join(", "))));
        }
    }
    if findings.is_empty() {
        findings.push(GROUP.ok(name, "no tc program or filter is attached"));
    }
    findings
}

fn tcx(program: &Named) -> String {
    match program.name.as_str() {
        "" => format!("a tcx program (id {})", program.id),
        _ => format!("the tcx program {program}"),
    }
}

fn filter(clsact::Listed { kind, name, program, .. }: &clsact::Listed) -> String {
    match program {
        Some(id) => format!("the tc filter {name} (program {id})"),
        None => format!("a tc filter of kind {kind}"),
    }
}

fn queues(link: &Link) -> Finding {
    let name = "queues";
    let Queues { count, cpus } = Queues::of(link);
    let online = cpus::online().map_or(1, |online| online.len());
    let ring = cpus::share(cpus::default_buffer(online), online) >> 20;
    let number = match count {
        0 => return GROUP.unknown(name, "its receive queues cannot be seen"),
        1 => "1 receive queue".to_owned(),
        count => format!("{count} receive queues"),
    };
    if link.is_veth() {
        return GROUP.ok(
            name,
            format!("{number}; frames are received by the CPU that sends them, into that CPU's ring of {ring} MiB by default"),
        );
    }
    match cpus.len() {
        // Interfaces without hardware have no interrupts.
        0 if link.driver.as_ref().is_none_or(|driver| driver.bus.is_none()) => GROUP.ok(name, number),
        0 => GROUP.ok(name, format!("{number}; to which CPUs their interrupts come cannot be seen")),
        1 if online > 1 => GROUP.ok(
            name,
            format!(
                "{number} with interrupts on CPU {}: all frames go through that CPU's ring of {ring} MiB by default (-B)",
                queues::list(&cpus)
            ),
        ),
        _ => GROUP.ok(
            name,
            format!("{number} with interrupts on CPU {}, each with a ring of {ring} MiB by default (-B)", queues::list(&cpus)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_joins_frames_is_switched_off_by_a_command() {
        let command = || Some("ethtool -K eth0 lro off".to_owned());
        let lro = joined("rx-lro", command());
        assert_eq!((lro.verdict, lro.command), (Verdict::Warning, command()));
        let gro = joined("rx-gro-hw", command());
        assert_eq!((gro.verdict, gro.command), (Verdict::Ok, command()));
        let fixed = joined("rx-gro-hw", None);
        assert_eq!((fixed.verdict, fixed.command), (Verdict::Warning, None));
    }

    #[test]
    fn an_mtu_is_compared_with_what_the_kernel_takes() {
        let link = |mtu| Link { name: "eth0".into(), mtu, ..Link::default() };
        let offer = |several_buffers| Offer { several_buffers, ..Offer::default() };
        let native = Way::Native(XdpFeatures::default());
        assert_eq!(mtu(&link(1500), offer(Some(false)), native).verdict, Verdict::Ok);
        // A larger page holds more.
        let large = rustix::param::page_size() as u32;
        let finding = mtu(&link(large), offer(Some(true)), native);
        assert_eq!(finding.verdict, Verdict::Warning, "the driver has no XDP for several buffers");
        assert!(finding.command.is_some_and(|command| command.starts_with("ip link set dev eth0 mtu ")));
        assert_eq!(mtu(&link(large), offer(Some(false)), Way::Unknown).verdict, Verdict::Warning);
        assert_eq!(mtu(&link(large), offer(None), Way::Unknown).verdict, Verdict::Unknown);
        let generic = Way::Generic(XdpFeatures::default());
        assert_eq!(mtu(&link(large), offer(Some(false)), generic).verdict, Verdict::Ok);
    }
}
