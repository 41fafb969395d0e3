import ArgumentParser
import Fxfer

/// The value of `serve --listen` and `--metrics`: `PORT` or `ADDR:PORT`; port 0 takes a free one.
struct ListenAddress: ExpressibleByArgument {
    /// nil for all addresses, or where none is given.
    let address: String?
    let port: Int
    /// Whether the port stands alone.
    let isPortAlone: Bool

    init?(argument: String) {
        if let port = UInt16(argument) {
            (self.address, self.port, self.isPortAlone) = (nil, Int(port), true)
            return
        }
        guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...])
        else {
            return nil
        }
        let host = argument[..<colon]
        if host.first == "[", host.last == "]" {
            self.address = String(host.dropFirst().dropLast())
        } else if !host.contains(":") {
            self.address = host.isEmpty || host == "*" ? nil : String(host)
        } else {
            return nil
        }
        self.port = Int(port)
        self.isPortAlone = false
    }
}
