import FxferTrust
import Synchronization

/// Who may connect to a server.
public enum AccessRule: Sendable {
    /// Programs on the server's own machine.
    case ownMachine
    /// Everyone who can reach it.
    case everyone
    /// Who has one of these tokens, wherever they are.
    case tokens(AcceptedTokens)
}

/// The tokens that a server takes now. They can be replaced while it runs; who is connected stays.
public final class AcceptedTokens: Sendable {
    private let list: Mutex<TokenList>

    /// Begins with these.
    public init(_ list: TokenList) {
        self.list = Mutex(list)
    }

    /// What counts for the next client.
    public var current: TokenList {
        self.list.withLock { $0 }
    }

    /// From the next client on these count instead.
    public func replace(by list: TokenList) {
        self.list.withLock { $0 = list }
    }
}
