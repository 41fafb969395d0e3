import Fxfer
import FxferProtocol

extension AccessOptions.Loaded {
    /// A line or two: who can do what.
    func explanation(place: String, isSharing: Bool) -> [String] {
        let verb = isSharing ? "sharing and receiving into" : "receiving into"
        let work = "\(verb) \(place)"
        let key = self.identity.map { "the server's key is \($0.fingerprint)" }
        switch self.rule {
        case .ownMachine:
            return ["\(work) from this machine only (--token-file FILE or --open let others in)"]
        case .everyone:
            return ["\(work) from everyone, without a token"] + (key.map { [$0] } ?? [])
        case .tokens(let tokens):
            let names = tokens.current.entries.map { "\($0.name) (\(Self.text($0.rights, isSharing)))" }
            let shown =
                names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
            return ["\(work) from those who have a token: \(shown)"] + (key.map { [$0] } ?? [])
        }
    }

    private static func text(_ rights: AccessRights, _ isSharing: Bool) -> String {
        var names: [String] = []
        if rights.contains(.upload) { names.append("upload") }
        if rights.contains(.read), isSharing { names.append("read") }
        if rights.contains(.list), isSharing { names.append("list") }
        return names.isEmpty ? "nothing without --share" : names.joined(separator: ", ")
    }
}
