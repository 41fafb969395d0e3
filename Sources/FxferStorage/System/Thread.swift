import Glibc

/// A thread of the operating system.
enum Thread {
    private final class Body {
        let run: @Sendable () -> Never

        init(_ run: @escaping @Sendable () -> Never) {
            self.run = run
        }
    }

    /// Starts a thread that runs `body`.
    static func start(_ body: @escaping @Sendable () -> Never) throws(Errno) {
        let argument = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { body in
                guard let body else { return nil }
                Unmanaged<Body>.fromOpaque(body).takeRetainedValue().run()
            },
            argument.toOpaque()
        )
        guard result == 0 else {
            argument.release()
            throw Errno(result)
        }
        pthread_detach(thread)
    }
}
