// Ends another process of the server's. Argument: its pid.
try {
  process.kill(Number(process.argv[2]), 'SIGKILL');
  console.log('BREACH');
} catch (error) {
  console.log(`held ${error.code}`);
}
console.log('TRIED');
