import FxferProtocol
import FxferStorage

/// The connections that a server has, so that a shutdown reaches each of them.
actor ConnectionRegistry {
    private let limit: Int
    private var connections: [ObjectIdentifier: ServerConnection<DirectoryStore>] = [:]
    private var isShuttingDown = false
    private var allGone: CheckedContinuation<Void, Never>?

    /// - Parameter limit: how many connections are served at once.
    init(limit: Int) {
        self.limit = limit
    }

    /// How many connections there are.
    var count: Int { self.connections.count }

    /// Runs a connection to its end, or turns it away where there are too many.
    func run(_ connection: ServerConnection<DirectoryStore>) async {
        guard self.connections.count < self.limit else {
            await connection.turnAway()
            return
        }
        self.connections[ObjectIdentifier(connection)] = connection
        if self.isShuttingDown {
            await connection.shutDown()
        }
        await connection.run()
        self.connections[ObjectIdentifier(connection)] = nil
        if self.connections.isEmpty {
            self.allGone?.resume()
            self.allGone = nil
        }
    }

    /// Lets transfers in flight go on for `grace`, then ends what is left. Returns when all connections are gone.
    func shutDown(grace: Duration) async {
        self.isShuttingDown = true
        for connection in self.connections.values {
            await connection.shutDown()
        }
        await withTaskGroup { group in
            group.addTask {
                do {
                    try await Task.sleep(for: grace)
                    await self.endAll()
                } catch {
                    // All connections ended within the grace.
                }
            }
            await self.waitUntilEmpty()
            group.cancelAll()
        }
    }

    private func endAll() async {
        for connection in self.connections.values {
            await connection.endForShutdown()
        }
    }

    private func waitUntilEmpty() async {
        guard !self.connections.isEmpty else { return }
        await withCheckedContinuation { self.allGone = $0 }
    }
}
