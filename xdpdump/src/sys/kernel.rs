//! The running kernel and its machine, asked of the kernel itself: `/proc` and `/sys` may be missing or made up.

/// Name and release of the operating system, such as `Linux 6.18.2`.
pub fn operating_system() -> String {
    let name = rustix::system::uname();
    format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy())
}

/// The first two numbers of the kernel's version; none when its release does not begin with two numbers.
pub fn version() -> Option<(u32, u32)> {
    parse_version(&rustix::system::uname().release().to_string_lossy())
}

fn parse_version(release: &str) -> Option<(u32, u32)> {
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse::<u32>().ok());
    Some((numbers.next()?, numbers.next()?))
}

/// Bytes of memory of the machine.
pub fn total_memory() -> u64 {
    let info = rustix::system::sysinfo();
    // The fields are `unsigned long`, which is not 64 bits everywhere.
    (info.totalram as u64).saturating_mul(u64::from(info.mem_unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_the_first_two_numbers() {
        assert_eq!(parse_version("6.18.2"), Some((6, 18)));
        assert_eq!(parse_version("6.1.0-17-amd64"), Some((6, 1)));
        assert_eq!(parse_version("7.0-rc1"), Some((7, 0)));
        assert_eq!(parse_version("unknown"), None);
        assert_eq!(parse_version("6"), None);
    }

    #[test]
    fn the_machine_has_memory() {
        assert!(total_memory() > 1 << 20);
    }
}
