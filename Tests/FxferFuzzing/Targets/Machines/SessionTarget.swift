@testable import FxferProtocol

extension FuzzTarget {
    /// A client and a server that keep the rules, joined by wires on which payloads and digests are damaged: whatever the
    /// order in which things happen, neither takes the other for one that breaks the rules, everything comes to its end,
    /// and what has a receipt is stored.
    ///
    /// Input: the store, the files, then what happens next, a byte for its kind and some for its values.
    static let session = FuzzTarget(
        "session",
        maxLength: 1024,
        seeds: [
            Array(repeating: 0, count: 40), (0..<255).map { UInt8($0) },
            (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37) },
            (0..<300).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 11) },
        ]
    ) { bytes in
        let dice = Dice(bytes)
        let session = MachineSession(dice)
        while !dice.input.isEmpty { try session.happen() }
        try session.finish()
    }
}

/// The two machines and what is between them.
private final class MachineSession {
    private let dice: Dice
    private let before: MemoryStore
    private let filesInFlight: UInt16
    private var client: SendingSide
    private var server: ReceivingSide
    private var toServer: [WireItem] = []
    private var toClient: [Frame] = []

    init(_ dice: Dice) {
        self.dice = dice
        self.before = MemoryStore.sample(&dice.input)
        self.filesInFlight = UInt16(1 + dice.input.choice(4))
        self.client = SendingSide(SendingSide.sources(&dice.input), filesInFlight: self.filesInFlight)
        self.server = ReceivingSide(self.before, filesInFlight: self.filesInFlight)
        self.server.mayFail = { dice.input.choice(40) == 39 }
    }

    /// One thing.
    func happen() throws {
        switch self.dice.input.choice(16) {
        case 0...1: _ = try self.client.offer()
        case 2...5:
            guard let file = self.client.anyFile(&self.dice.input) else { return }
            for _ in 0...self.dice.input.choice(8) { _ = try self.client.step(file) }
        case 6...8: for _ in 0...self.dice.input.choice(4) { try self.deliverToServer() }
        case 9...10: for _ in 0...self.dice.input.choice(3) { try self.deliverToClient() }
        case 11: try self.server.work(self.dice.input.choice(8))
        case 12...13: self.damage()
        case 14:
            guard self.dice.input.choice(3) == 0, let file = self.client.anyFile(&self.dice.input) else { return }
            self.client.cancel(file)
        default: if self.dice.input.choice(4) == 0 { self.connectAnew() }
        }
        self.collect()
    }

    private func collect() {
        self.toServer += self.client.output
        self.client.output = []
        self.toClient += self.server.output
        self.server.output = []
    }

    private func deliverToServer() throws {
        guard !self.toServer.isEmpty else { return }
        let item = self.toServer.removeFirst()
        do {
            try self.server.receive(item)
        } catch let error as FxferError {
            throw BrokenRule(description: "the server takes \(item) for a violation: \(error)")
        }
        self.collect()
    }

    private func deliverToClient() throws {
        guard !self.toClient.isEmpty else { return }
        let frame = self.toClient.removeFirst()
        do {
            try self.client.receive(frame)
        } catch {
            throw BrokenRule(description: "the client takes \(frame) for a violation: \(error)")
        }
    }

    /// Flips bits of a payload or a digest that is on its way.
    private func damage() {
        let places = self.toServer.indices.filter { if case .frame = self.toServer[$0] { false } else { true } }
        guard !places.isEmpty else { return }
        let place = self.dice.input.element(of: places)
        switch self.toServer[place] {
        case .payload(var bytes):
            bytes[self.dice.input.choice(bytes.count)] ^= 1 << UInt8(self.dice.input.choice(8))
            self.toServer[place] = .payload(bytes)
        case .digest: self.toServer[place] = .digest(.zero)
        case .frame: break
        }
    }

    /// The connection is lost; the client comes again with what has no receipt.
    private func connectAnew() {
        self.server.disconnect()
        let mayFail = self.server.mayFail
        self.server = ReceivingSide(self.server.store, filesInFlight: self.filesInFlight)
        self.server.mayFail = mayFail
        let rest = self.client.sources.indices.filter { self.client.ends[$0] == nil }
        self.client = SendingSide(rest.map { self.client.sources[$0] }, filesInFlight: self.filesInFlight)
        self.toServer = []
        self.toClient = []
    }

    /// Everything goes on until nothing is left to do.
    func finish() throws {
        // More than 2 * 100 chunks of four files, each of them nine times, would need.
        for _ in 0..<20_000 {
            var isBusy = try self.client.offer()
            for file in self.client.openFiles { isBusy = try self.client.step(file) || isBusy }
            self.collect()
            isBusy = isBusy || !self.toServer.isEmpty || self.server.workCount > 0 || !self.toClient.isEmpty
            while !self.toServer.isEmpty { try self.deliverToServer() }
            while self.server.workCount > 0 { try self.server.work(0) }
            self.collect()
            while !self.toClient.isEmpty { try self.deliverToClient() }
            if !isBusy { break }
        }
        try require(self.client.isDone, "the session does not end: \(self.client.openFiles) are open")
        try require(self.client.sender.isIdle && self.server.files.isEmpty, "a file is open at one end only")
        try require(self.server.receiver.isIdle, "the receiver has a file that its sender has not")
        try self.server.store.checkNothingElse(since: self.before)
        for (index, end) in self.client.ends {
            guard case .stored(let receipt) = end else { continue }
            let content = self.client.sources[index].content
            let wasThere = self.before.files[receipt.path]?.content == content && receipt.outcome == .identical
            try require(
                wasThere || self.client.sources[index].attributes.isFolder
                    || self.server.store.wasPublished(content, at: receipt.path),
                "a receipt tells of what is not stored"
            )
        }
    }
}
