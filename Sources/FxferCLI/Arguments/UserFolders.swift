import Glibc

/// Where programs keep what is a user's own, by the XDG Base Directory Specification. Paths are bytes.
enum UserFolders {
    /// For what is to be kept, such as the identity of a server: `$XDG_STATE_HOME/fxfer`, else
    /// `$HOME/.local/state/fxfer`; nil where neither variable is set.
    static var state: [UInt8]? { self.folder("XDG_STATE_HOME", ".local/state") }

    /// For what the user may edit, such as the known hosts: `$XDG_CONFIG_HOME/fxfer`, else `$HOME/.config/fxfer`; nil
    /// where neither variable is set.
    static var configuration: [UInt8]? { self.folder("XDG_CONFIG_HOME", ".config") }

    /// The keys of servers that were met; nil where there is no place for them.
    static var knownHosts: [UInt8]? { self.configuration.map { $0 + Array("/known_hosts".utf8) } }

    private static func folder(_ variable: String, _ inHome: String) -> [UInt8]? {
        self.folder(named: self.value(of: variable), inHome: inHome, of: self.value(of: "HOME"))
    }

    /// The specification has relative paths ignored.
    static func folder(named path: [UInt8]?, inHome folder: String, of home: [UInt8]?) -> [UInt8]? {
        if let path, path.first == UInt8(ascii: "/") { return path + Array("/fxfer".utf8) }
        guard let home, !home.isEmpty else { return nil }
        return home + Array("/\(folder)/fxfer".utf8)
    }

    private static func value(of variable: String) -> [UInt8]? {
        getenv(variable).map { value in
            UnsafeBufferPointer(start: value, count: strlen(value)).map(UInt8.init(bitPattern:))
        }
    }
}
