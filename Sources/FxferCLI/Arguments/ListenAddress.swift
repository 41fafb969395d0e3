import ArgumentParser
import Fxfer

/// The value of `serve --listen`: `PORT` or `ADDR:PORT`; port 0 takes a free one.
struct ListenAddress: ExpressibleByArgument {
    let address: String?
    let port: Int

    init?(argument: String) {
        if let port = UInt16(argument) {
            (self.address, self.port) = (nil, Int(port))
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
    }
}
