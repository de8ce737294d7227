//! Proves what the example claims: that this process has no socket of the network.

use std::collections::HashSet;
use std::fs;

/// How many sockets of the network this process holds; `None` where the system does not say.
pub(crate) fn count() -> Option<usize> {
    let links = fs::read_dir("/proc/self/fd").ok()?.flatten();
    let links = links.filter_map(|entry| fs::read_link(entry.path()).ok());
    let own: HashSet<String> = links
        .filter_map(|link| {
            let link = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(link.to_owned())
        })
        .collect();
    let tables =
        ["tcp", "tcp6", "udp", "udp6"].map(|table| fs::read_to_string(format!("/proc/self/net/{table}")));
    // The tenth column is the number that the links above name.
    let lines = tables.iter().flatten().flat_map(|table| table.lines());
    Some(lines.filter_map(|line| line.split_whitespace().nth(9)).filter(|inode| own.contains(*inode)).count())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    #[test]
    fn a_socket_is_seen() {
        let before = super::count();
        let listener = std::net::TcpListener::bind("127.0.0.1:0");
        assert_eq!(super::count(), before.map(|before| before + 1));
        drop(listener);
    }
}
