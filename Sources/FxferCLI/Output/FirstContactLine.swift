import Fxfer

/// The line of `--json` about a server that was not known before.
struct FirstContactLine: Encodable {
    /// `first-contact`
    let event = "first-contact"
    /// `HOST:PORT`
    let server: String
    /// `SHA256:` and base64.
    let key: String
    /// Whether it has proven that it knows the client's token.
    let proven: Bool
    /// Whether its key will be known the next time.
    let remembered: Bool

    init(_ contact: FirstContact) {
        self.server = "\(contact.server)"
        self.key = "\(contact.fingerprint)"
        self.proven = contact.isProven
        self.remembered = contact.failure == nil
    }
}
