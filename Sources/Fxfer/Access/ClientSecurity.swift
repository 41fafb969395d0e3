import FxferTrust

/// How a client makes sure of the server, and how it proves itself.
public struct ClientSecurity: Sendable {
    /// How the server's identity is known.
    public var trust: ServerTrust
    /// What both sides have to prove that they know; nil for nothing.
    public var token: Token?
    /// Whether bytes may leave this machine in the clear.
    public var allowsPlaintext: Bool
    /// Told about a server that was not known before.
    public var onFirstContact: @Sendable (FirstContact) -> Void

    /// Nothing but what the machine's boundary gives: plain on this machine, TLS to all others.
    public init(trust: ServerTrust = .knownHosts(nil)) {
        self.trust = trust
        self.token = nil
        self.allowsPlaintext = false
        self.onFirstContact = { _ in }
    }
}

/// How a client knows that a server is the one that is meant.
public enum ServerTrust: Sendable {
    /// By the key that it had at the first contact, which is believed; nil where there is no place to remember it.
    case knownHosts(KnownHosts?)
    /// By this key.
    case key(KeyFingerprint)
    /// By a certificate for its host name that one of the authorities in a PEM file has signed. The path is the file
    /// system's.
    case authorities(file: [UInt8])

    /// Whether a server on this machine has to prove itself, too.
    var holdsOnOwnMachine: Bool {
        switch self {
        case .knownHosts: false
        case .key, .authorities: true
        }
    }
}

/// A server that a client had not met before.
public struct FirstContact: Sendable {
    /// The server.
    public let server: Endpoint
    /// Its key.
    public let fingerprint: KeyFingerprint
    /// Whether it has proven that it knows the client's token.
    public let isProven: Bool
    /// Why its key is not remembered; nil where it is.
    public let failure: FxferError?
}
