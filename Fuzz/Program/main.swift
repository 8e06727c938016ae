// entente-fuzz TARGET [libFuzzer's options]: one decoder under libFuzzer. scripts/fuzz.sh builds and runs it.
import CLibFuzzer
import FuzzTargets
import Glibc

/// Tells libFuzzer's interface which target runs; set once before it starts.
nonisolated(unsafe) private var current: FuzzTarget?

private func fail(_ text: String) -> Never {
    print(text)
    exit(2)
}

switch CommandLine.arguments.dropFirst().first {
case "list":
    for target in FuzzTarget.all { print(target.name, target.byteCountMax) }
case let name?:
    guard let target = FuzzTarget.named(name) else { fail("no target \(name); entente-fuzz list names them") }
    current = target
    // libFuzzer takes what is no option for a corpus: the target's name must go.
    let last = Int(CommandLine.argc) - 1
    for place in 1..<max(1, last) { CommandLine.unsafeArgv[place] = CommandLine.unsafeArgv[place + 1] }
    var count = CommandLine.argc - 1
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(
        LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            let bytes = Array(UnsafeBufferPointer(start: start, count: count))
            if case .finding(let reason) = current?.run(bytes) { fatalError("finding: \(reason)") }
            return 0
        })
default: fail("usage: entente-fuzz TARGET [options of libFuzzer] [corpus folders]")
}
