// Uses the official SDK as its own documentation shows, with whatever
// credential the environment holds, and prints what it got as one JSON line.
import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ maxRetries: 0 });
const question = {
  model: process.argv[2],
  max_tokens: 64,
  messages: [{ role: 'user', content: 'hi' }],
};

const text = (message) => message.content.map((block) => block.text ?? '').join('');

try {
  const whole = await client.messages.create(question);
  const streamed = await client.messages.stream(question).finalMessage();
  const counted = await client.messages.countTokens({ model: question.model, messages: question.messages });
  const models = [];
  for await (const model of client.models.list()) models.push(model.id);
  const one = await client.models.retrieve(models[0]);
  console.log(
    JSON.stringify({
      text: text(whole),
      usage: whole.usage,
      streamedText: text(streamed),
      streamedUsage: streamed.usage,
      counted: counted.input_tokens,
      models,
      one: one.id,
      requestID: whole._request_id,
    }),
  );
} catch (error) {
  console.log(JSON.stringify({ error: { status: error.status ?? 0, type: error.error?.error?.type ?? '', message: String(error.message) } }));
  process.exitCode = 1;
}
