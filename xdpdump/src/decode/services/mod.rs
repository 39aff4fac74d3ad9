//! What runs on transport layers for hosts and applications.

pub(in crate::decode) mod bootp;
pub(in crate::decode) mod dhcpv6;
pub(in crate::decode) mod dns;
pub(in crate::decode) mod dns_name;
pub(in crate::decode) mod dns_type;
pub(in crate::decode) mod edns;
pub(in crate::decode) mod lines;
pub(in crate::decode) mod ntp;
pub(in crate::decode) mod radius;
pub(in crate::decode) mod resp;
pub(in crate::decode) mod snmp;
pub(in crate::decode) mod syslog;
pub(in crate::decode) mod tftp;
pub(in crate::decode) mod ike;
pub(in crate::decode) mod sflow;
pub(in crate::decode) mod timed;
pub(in crate::decode) mod vqp;
pub(in crate::decode) mod msdp;
pub(in crate::decode) mod rpki_router;
pub(in crate::decode) mod aodv;
pub(in crate::decode) mod openflow;
pub(in crate::decode) mod pptp;
pub(in crate::decode) mod beep;
pub(in crate::decode) mod kerberos;
pub(in crate::decode) mod rx;
pub(in crate::decode) mod nfs;
