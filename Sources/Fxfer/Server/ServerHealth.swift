import Synchronization

/// Whether a server takes work, for those who send it some: a load balancer, a service manager.
public final class ServerHealth: Sendable {
    /// What a server can say of itself.
    public enum State: String, Hashable, Sendable {
        /// It does not listen yet.
        case starting
        /// It takes work.
        case serving
        /// It listens, and cannot reach its store.
        case storeUnreachable = "store unreachable"
        /// It shuts down, and takes no more work.
        case draining
    }

    private let value = Mutex(State.starting)

    /// Nothing is served yet.
    public init() {}

    /// What it says now.
    public var state: State { self.value.withLock { $0 } }

    /// It listens.
    func begin() {
        self.value.withLock { if $0 == .starting { $0 = .serving } }
    }

    func noteStore(isReachable: Bool) {
        self.value.withLock { state in
            switch state {
            case .serving, .storeUnreachable: state = isReachable ? .serving : .storeUnreachable
            case .starting, .draining: break
            }
        }
    }

    func drain() {
        self.value.withLock { $0 = .draining }
    }
}
