import FxferNetwork
import FxferProtocol
import FxferStorage
import Synchronization

/// The connections that a server has: no more than its limits say, and so that a shutdown reaches each of them.
actor ConnectionRegistry<Files: Store & SharedFiles> {
    typealias Connection = ServerConnection<Files>

    private nonisolated let slots: Mutex<ConnectionSlots>
    private let metrics: ServerMetrics
    private var connections: [ConnectionSlots.Number: Connection] = [:]
    private var isShuttingDown = false
    private var allGone: CheckedContinuation<Void, Never>?

    init(_ limits: ServerLimits, _ metrics: ServerMetrics) {
        let slots = ConnectionSlots(
            maxConnections: limits.maxConnections,
            maxPerAddress: limits.maxConnectionsPerAddress,
            maxLingering: limits.maxLingering
        )
        self.slots = Mutex(slots)
        self.metrics = metrics
    }

    /// How many connections there are.
    var count: Int { self.connections.count }

    /// A connection that is not simply closed.
    struct Entrant {
        fileprivate let number: ConnectionSlots.Number
        /// Why it is not served; nil where it is.
        fileprivate let refusal: FxferError?
    }

    /// Decides about a new connection; nil where it was closed. To be waited for before the next is accepted: so those
    /// that are to be closed never pile up.
    func enter(_ connection: Connection) async -> Entrant? {
        self.metrics.connectionsAccepted.increment()
        let address = AddressBlock(connection.wire.channel.remoteAddress)
        // Files may have what there is.
        let hasDescriptor = (try? DescriptorBudget.process.take()) != nil
        let (number, entrance) = self.slots.withLock { hasDescriptor ? $0.enter(address) : $0.turnAway() }
        switch entrance {
        case .served:
            break
        case .servedInstead(let other, let limit, let mayLinger):
            await self.connections[other]?.makeRoom(limit.error, mayLinger: mayLinger)
        case .turnedAway(let limit, let mayLinger):
            if hasDescriptor { DescriptorBudget.process.giveBack() }
            guard mayLinger else {
                await connection.close(limit.error)
                return nil
            }
            return Entrant(number: number, refusal: limit.error)
        }
        self.connections[number] = connection
        return Entrant(number: number, refusal: nil)
    }

    /// Runs a connection to its end, or tells its client why it is not served.
    func run(_ connection: Connection, _ entrant: Entrant) async {
        if let refusal = entrant.refusal {
            await connection.turnAway(refusal)
        } else {
            await self.serve(connection, entrant.number)
            DescriptorBudget.process.giveBack()
        }
        self.slots.withLock { $0.leave(entrant.number) }
    }

    private func serve(_ connection: Connection, _ number: ConnectionSlots.Number) async {
        self.metrics.connections.increment()
        defer { self.metrics.connections.decrement() }
        if self.isShuttingDown {
            await connection.shutDown()
        }
        await connection.run(
            hasPlace: { self.slots.withLock { $0.admit(number) } },
            leavePlace: { self.slots.withLock { $0.leave(number) } }
        )
        self.connections[number] = nil
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
