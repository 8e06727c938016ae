// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "EVMBench",
    dependencies: [.package(name: "entente", path: "../..")],
    targets: [
        .executableTarget(
            name: "EVMBench",
            dependencies: [.product(name: "EVM", package: "entente")],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .treatAllWarnings(as: .error),
            ])
    ]
)
