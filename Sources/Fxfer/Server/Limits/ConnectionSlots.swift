import FxferNetwork

/// Who of a server's connections is served, in their order: a machine without sockets.
///
/// ```
///  enter ──> waiting ── admit ──> admitted ── leave ──> (none)
///     │         └─ room is needed: dropped ──> lingering ── leave ──> (none)
///     └─ no room can be made: turned away ──> lingering, or (none)
/// ```
///
/// Whoever has not been admitted yet makes room for a newcomer, the oldest first: so connections that say nothing never
/// keep a client out that has something to say.
struct ConnectionSlots {
    typealias Number = UInt64

    /// A limit that is reached.
    enum Limit: Hashable {
        case address
        case all
    }

    enum Entrance: Hashable {
        /// It is served.
        case served
        /// It is served, and this one is not any more.
        case servedInstead(of: Number, Limit, mayLinger: Bool)
        /// It is not served.
        case turnedAway(Limit, mayLinger: Bool)
    }

    private let maxConnections: Int
    private let maxPerAddress: Int
    private let maxLingering: Int
    private var addresses: [Number: AddressBlock] = [:]
    private var countByAddress: [AddressBlock: Int] = [:]
    /// Those that were not admitted yet, the oldest first: a list that is short unless somebody is up to something.
    private var waiting: [Number] = []
    private var lingering: Set<Number> = []
    private var lastNumber: Number = 0

    /// - Parameters:
    ///   - maxConnections: how many are served at once.
    ///   - maxPerAddress: how many of them may come from one address.
    ///   - maxLingering: how many others there may be whose client is told why it is not served.
    init(maxConnections: Int, maxPerAddress: Int, maxLingering: Int) {
        self.maxConnections = maxConnections
        self.maxPerAddress = maxPerAddress
        self.maxLingering = maxLingering
    }

    /// How many are served.
    var count: Int { self.addresses.count }

    /// A new connection; numbers grow.
    mutating func enter(_ address: AddressBlock) -> (Number, Entrance) {
        self.lastNumber += 1
        let number = self.lastNumber
        let limit: Limit
        let oldest: Number?
        if self.countByAddress[address, default: 0] >= self.maxPerAddress {
            limit = .address
            oldest = self.waiting.first { self.addresses[$0] == address }
        } else if self.count >= self.maxConnections {
            limit = .all
            oldest = self.waiting.first
        } else {
            self.serve(number, address)
            return (number, .served)
        }
        guard let oldest else { return (number, .turnedAway(limit, mayLinger: self.linger(number))) }
        self.leave(oldest)
        self.serve(number, address)
        return (number, .servedInstead(of: oldest, limit, mayLinger: self.linger(oldest)))
    }

    /// A new connection for which the process has no descriptor to spare.
    mutating func turnAway() -> (Number, Entrance) {
        self.lastNumber += 1
        return (self.lastNumber, .turnedAway(.all, mayLinger: self.linger(self.lastNumber)))
    }

    private mutating func serve(_ number: Number, _ address: AddressBlock) {
        self.addresses[number] = address
        self.countByAddress[address, default: 0] += 1
        self.waiting.append(number)
    }

    private mutating func linger(_ number: Number) -> Bool {
        guard self.lingering.count < self.maxLingering else { return false }
        self.lingering.insert(number)
        return true
    }

    /// A connection may use the server from now on; false where it is not served any more.
    mutating func admit(_ number: Number) -> Bool {
        guard self.addresses[number] != nil else { return false }
        if let index = self.waiting.firstIndex(of: number) { self.waiting.remove(at: index) }
        return true
    }

    /// A connection is closed.
    mutating func leave(_ number: Number) {
        self.lingering.remove(number)
        guard let address = self.addresses.removeValue(forKey: number) else { return }
        if let index = self.waiting.firstIndex(of: number) { self.waiting.remove(at: index) }
        let rest = self.countByAddress[address, default: 1] - 1
        self.countByAddress[address] = rest > 0 ? rest : nil
    }
}
