/// Lets only so many requests run at once; others wait for their turn, in their order.
///
/// A request's time-out begins when it has a lane: what waits in a queue of connections would count against it.
actor RequestLanes {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var first = 0

    init(_ count: Int) {
        self.free = count
    }

    /// Runs `body` in a lane.
    func run<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
        await self.enter()
        defer { self.leave() }
        return try await body()
    }

    private func enter() async {
        guard self.free == 0 else {
            self.free -= 1
            return
        }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    private func leave() {
        guard self.first < self.waiting.count else {
            self.free += 1
            return
        }
        let next = self.waiting[self.first]
        self.first += 1
        if self.first > 64, self.first * 2 > self.waiting.count {
            self.waiting.removeFirst(self.first)
            self.first = 0
        }
        next.resume()
    }
}
