import FxferProtocol
import Synchronization

/// What a client asks for, in its order, until it is answered.
final class RequestQueue: Sendable {
    enum Request: Sendable {
        case get(Get)
        case list(List)
    }

    /// The requests that were not taken yet, as they come.
    let requests: AsyncStream<Request>
    private let input: AsyncStream<Request>.Continuation
    private let open = Mutex(0)

    init() {
        (self.requests, self.input) = AsyncStream.makeStream()
    }

    /// Whether every request was answered.
    var isEmpty: Bool { self.open.withLock { $0 == 0 } }

    /// Adds a request; false where `limit` are open already.
    func add(_ request: Request, limit: Int) -> Bool {
        let fits = self.open.withLock { open in
            guard open < limit else { return false }
            open += 1
            return true
        }
        if fits { self.input.yield(request) }
        return fits
    }

    /// A request was answered: in full, or by the offer that stands for it from now on.
    func answered() {
        self.open.withLock { $0 -= 1 }
    }

    /// Nothing is added any more.
    func end() {
        self.input.finish()
    }
}
