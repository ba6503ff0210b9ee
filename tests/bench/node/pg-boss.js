// SPDX-License-Identifier: MIT
'use strict';
const PgBoss = require('pg-boss');

exports.open = async url => {
	const boss = new PgBoss({
		connectionString: url, max: 20, supervise: false, schedule: false,
	});
	boss.on('error', e => {
		throw e;
	});
	await boss.start();
	await boss.createQueue('task');

	return {
		add: data => boss.send('task', data),
		addMany: many => boss.insert(
			many.map(data => ({ name: 'task', data }))),
		// Its workers fetch and complete, but look only every half second;
		// here they do both as fast as they can.
		async drain(n, concurrency, batch) {
			async function worker() {
				while (n > 0) {
					const got = await boss.fetch('task', { batchSize: batch });
					if (got.length === 0)
						continue;
					await boss.complete('task', got.map(j => j.id));
					n -= got.length;
				}
			}
			await Promise.all(Array.from({ length: concurrency }, worker));
			return () => {};
		},
	};
};
