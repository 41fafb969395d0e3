import ArgumentParser

/// A command that prepares its process while that has one thread: what it then gives up (a sandbox, the umask) holds for
/// every thread that comes later.
protocol PreparingCommand: AsyncParsableCommand {
    /// Prepares the process on its first thread, without starting another one.
    ///
    /// - Returns: the command's work, which runs on Swift's threads; the process ends with it.
    func prepare() throws -> @Sendable () async throws -> Void
}

extension PreparingCommand {
    func run() async throws {
        try await self.prepare()()
    }
}
